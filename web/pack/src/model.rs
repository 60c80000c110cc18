//! How likely each answer is: what followed each context, and the longest repetition, have a say, and those that were right in
//! such places before have more of it. The way of the PAQ packers, of M. Mahoney, with few contexts, so that it takes a moment.

use alloc::{boxed::Box, vec, vec::Vec};

use crate::{
    coder::Coder,
    program::{CONTEXTS, Reader, TREES, hash},
    repeat::Repeat,
    tree::{BYTE, LINE, Tree},
};

/// What has a say: the contexts, the repetition, and one that always says the same.
const VOICES: usize = CONTEXTS + 2;
/// Lines of slots: 2 MB. Twice as many pack 1.3 % tighter, and take a tenth longer: they are further from the processor.
const LINES: usize = 1 << 17;
/// A slot counts its answers up to here: the further, the slower it forgets.
const LIMIT: usize = 10;
/// Nodes of a tree for which voices are trusted each in its own way.
const NODES: usize = 32;
/// A voice that is trusted just as it speaks.
const FULL: i32 = 1 << 14;
/// What a slot holds that was never asked: one as likely as the other.
const UNKNOWN: u16 = 0x8000;

/// All that has been learned.
pub(crate) struct Model {
    /// How likely 1 is, of 65,536, by what all voices come to.
    likely: Box<[u16; 4096]>,
    /// The other way: what a voice says, by how likely 1 was, of 4,096.
    says: Box<[i16; 4096]>,
    /// How likely 1 was in the upper twelve bits, and how often that was asked in the lower four. The last of a line is no slot,
    /// but tells whose line it is.
    lines: Box<[[u16; LINE]; LINES]>,
    /// How much a slot learns from its next answer, of 65,536, by how many there were.
    steps: [i32; 16],
    /// How far each voice is to be trusted: by tree, node, and whether something repeats.
    trust: Vec<[i32; VOICES]>,
    repeat: Repeat,
}

/// One question, and all that is to learn from its answer.
struct Question {
    /// How likely the answer is 1.
    one: u16,
    /// The slot of each context: its line, and its place there.
    lines: [usize; CONTEXTS],
    slot: usize,
    /// Where in `Repeat::right` there is something to it.
    repeats: Option<usize>,
    /// Where in `Model::trust`.
    trust: usize,
    voices: [i32; VOICES],
}

impl Model {
    pub(crate) fn new() -> Self {
        let likely = likely();
        let lines = vec![[UNKNOWN; LINE]; LINES].into_boxed_slice();
        Self {
            says: says(&likely),
            likely,
            lines: lines.try_into().expect("it has as many"),
            steps: core::array::from_fn(|count| 655_360 / (10 * count as i32 + 16)),
            trust: vec![[FULL * 3 / 10; VOICES]; TREES * NODES * 2],
            repeat: Repeat::new(),
        }
    }

    /// The next byte, of which who packs knows that it is `known`. `bytes` are all before it.
    // Not inlined: browsers make code fast that is called often, and not a loop that goes on and on.
    #[inline(never)]
    pub(crate) fn byte(&mut self, coder: &mut impl Coder, reader: &Reader, tree: &Tree, bytes: &[u8], known: u8) -> u8 {
        self.repeat.look(bytes);
        if let Some(byte) = self.repeat.goes_on(coder, bytes, known) {
            return byte;
        }
        let expected = self.repeat.expected(bytes).map(|byte| tree.code(byte));
        let known = tree.code(known).0;
        let contexts = reader.contexts();
        let trust = reader.tree() * NODES * 2;
        let mut lines = [0; CONTEXTS];
        let mut at = 0;
        let mut depth = 0;
        // The answers so far, behind a 1.
        let mut answers = 1;
        loop {
            let node = tree.nodes[at];
            if node.line {
                lines = self
                    .find(core::array::from_fn(|number| hash(contexts[number], (at * CONTEXTS + number) as u32 + 1)));
            }
            let repeats = expected.and_then(|(code, length)| self.repeat.next(code, length, depth, answers));
            let trust = trust + at.min(NODES - 1) * 2 + usize::from(repeats.is_some());
            let question = self.ask(lines, node.slot, repeats, trust);
            // Written out for both: so the processor goes on with the answer that it expects.
            let next = if coder.is_one(question.one, known >> (15 - depth) & 1 == 1) {
                self.learn::<1>(&question);
                answers = answers << 1 | 1;
                node.next[1]
            } else {
                self.learn::<0>(&question);
                answers <<= 1;
                node.next[0]
            };
            if next >= BYTE {
                return next as u8;
            }
            at = usize::from(next);
            depth += 1;
        }
    }

    #[inline(always)]
    fn ask(&self, lines: [usize; CONTEXTS], slot: u8, repeats: Option<usize>, trust: usize) -> Question {
        let slot = usize::from(slot) % LINE;
        let says = |likely: u16| i32::from(self.says[usize::from(likely >> 4)]);
        let mut voices = [256; VOICES];
        for number in 0..CONTEXTS {
            voices[number] = says(self.lines[lines[number] % LINES][slot]);
        }
        voices[CONTEXTS] = repeats.map_or(0, |repeats| says(self.repeat.right[repeats]));
        let weighed = voices.iter().zip(self.trust[trust]).map(|(voice, trust)| voice.wrapping_mul(trust));
        let sum = weighed.fold(0, i32::wrapping_add) >> FULL.trailing_zeros();
        let one = self.likely[(sum.clamp(-2047, 2047) + 2048) as usize];
        Question { lines, slot, repeats, trust, voices, one }
    }

    #[inline(always)]
    fn learn<const ANSWER: i32>(&mut self, question: &Question) {
        let error = (((ANSWER << 16) - i32::from(question.one)) * 7) >> 3;
        for (trust, voice) in self.trust[question.trust].iter_mut().zip(question.voices) {
            *trust = trust.wrapping_add((voice * error + 0x8000) >> 16);
        }
        for line in question.lines {
            let slot = &mut self.lines[line % LINES][question.slot];
            *slot = learned(*slot, ANSWER == 1, &self.steps);
        }
        if let Some(repeats) = question.repeats {
            learn(&mut self.repeat.right[repeats], ANSWER == 1, 6);
        }
    }

    /// The lines for what has these hashes: each is one of two, which are beside each other in memory. Where neither is its own, the
    /// one of which less is known is taken from whom it was.
    #[inline(always)]
    fn find(&mut self, hashes: [u32; CONTEXTS]) -> [usize; CONTEXTS] {
        let firsts = hashes.map(|hash| hash as usize >> (32 - LINES.trailing_zeros()));
        // All of them before any is looked at: memory takes its time, but for all of them at once.
        let owners = firsts.map(|first| [self.lines[first][LINE - 1], self.lines[first ^ 1][LINE - 1]]);
        core::array::from_fn(|number| {
            let (first, whose) = (firsts[number], hashes[number] as u16);
            if owners[number][0] == whose {
                return first;
            }
            let other = first ^ 1;
            if owners[number][1] == whose {
                return other;
            }
            let line = if self.lines[first][0] & 15 <= self.lines[other][0] & 15 { first } else { other };
            self.lines[line] = const { [UNKNOWN; LINE] };
            self.lines[line][LINE - 1] = whose;
            line
        })
    }
}

/// A slot after an answer.
#[inline]
fn learned(slot: u16, answer: bool, steps: &[i32; 16]) -> u16 {
    let was = i32::from(slot & 0xfff0);
    let count = usize::from(slot & 15);
    // To the nearest.
    let (target, half) = if answer { (0xfff0, 7) } else { (0, 8) };
    let is = was + (((target - was) * steps[count]) >> 16) + half;
    (is & 0xfff0) as u16 | (count + usize::from(count < LIMIT)) as u16
}

/// Moves a likelihood towards the answer, never quite to the end.
pub(crate) fn learn(likely: &mut u16, answer: bool, shift: u32) {
    if answer {
        *likely += (0xffff - *likely) >> shift;
    } else {
        *likely -= *likely >> shift;
    }
}

/// 1 / (1 + e^-x) for x from -8 to 8. Only multiplied and divided, which comes to the same on every machine and in every browser;
/// the powers of a mathematical library do not.
fn likely() -> Box<[u16; 4096]> {
    // e to the power of 1/256, and of 8.
    const STEP: f64 = 1.003_913_889_338_347_6;
    let mut odds = 2_980.957_987_041_728_3;
    Box::new(core::array::from_fn(|_| {
        let likely = 65_536.0 / (1.0 + odds);
        odds /= STEP;
        likely as u16
    }))
}

fn says(likely: &[u16; 4096]) -> Box<[i16; 4096]> {
    Box::new(core::array::from_fn(|is| {
        let at = likely.partition_point(|likely| usize::from(*likely) < is * 16 + 8);
        at.min(4095) as i16 - 2048
    }))
}
