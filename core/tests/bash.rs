//! Random scripts, run by bash with an iptables that keeps its rules in a file, and read by
//! Chainwalk: a walk that is certain ends as with the rules that bash made. `CHAINWALK_SCRIPTS` asks
//! for more scripts and `CHAINWALK_SEED` for others.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, process};

use chainwalk_core::input::parse::parse;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::walk::walk;

/// The programs that the scripts call: iptables with its rules in `$STATE`, `unknown` which succeeds
/// or not, `words` which prints words.
const PROGRAMS: &str = r#"
RANDOM=$SEED
unknown() { (( RANDOM % 2 )); }
words() { local all=("22" "80" "22 80" "" "x"); echo "${all[RANDOM % 5]}"; }
has_chain() { local line; for line in "${lines[@]}"; do [[ $line == "C $1 "* ]] && return 0; done; return 1; }
is_rule() {
  [[ $* =~ ^"-p tcp -m tcp --dport "([0-9]+)" -j "(ACCEPT|DROP|RETURN|C[0-9])$ ]] || return 1
  (( BASH_REMATCH[1] < 65536 )) || return 1
  [[ ${BASH_REMATCH[2]} != C* ]] || has_chain "${BASH_REMATCH[2]}"
}
keep() { if (( $# )); then printf '%s\n' "$@" > "$STATE"; else : > "$STATE"; fi; }
iptables() {
  local verb=$1 chain=$2 lines=() kept=() line found=1
  shift; shift
  mapfile -t lines < "$STATE"
  if [[ $verb == -F && -z $chain ]]; then
    for line in "${lines[@]}"; do [[ $line == R* ]] || kept+=("$line"); done
    keep "${kept[@]}"; return 0
  fi
  if [[ $verb == -N ]]; then
    [[ $chain =~ ^C[0-9]$ ]] && (( $# == 0 )) && ! has_chain "$chain" || return 1
    keep "${lines[@]}" "C $chain -"; return 0
  fi
  [[ -n $chain ]] && has_chain "$chain" || return 1
  case $verb in
    -P)
      [[ $chain == INPUT && ( $* == ACCEPT || $* == DROP ) ]] || return 1
      for line in "${lines[@]}"; do
        [[ $line == "C INPUT "* ]] && line="C INPUT $*"
        kept+=("$line")
      done
      keep "${kept[@]}" ;;
    -A) is_rule "$@" || return 2; keep "${lines[@]}" "R $chain $*" ;;
    -I)
      is_rule "$@" || return 2
      for line in "${lines[@]}"; do [[ $line == C* ]] && kept+=("$line"); done
      kept+=("R $chain $*")
      for line in "${lines[@]}"; do [[ $line == R* ]] && kept+=("$line"); done
      keep "${kept[@]}" ;;
    -D|-C)
      is_rule "$@" || return 2
      for line in "${lines[@]}"; do
        if (( found )) && [[ $line == "R $chain $*" ]]; then found=0; else kept+=("$line"); fi
      done
      if [[ $verb == -D ]] && (( ! found )); then keep "${kept[@]}"; fi
      return $found ;;
    -F)
      for line in "${lines[@]}"; do [[ $line == "R $chain "* ]] || kept+=("$line"); done
      keep "${kept[@]}" ;;
    -X)
      [[ $chain != INPUT ]] || return 1
      for line in "${lines[@]}"; do
        [[ $line == "R $chain "* || $line == *"-j $chain" ]] && return 1
        [[ $line == "C $chain "* ]] || kept+=("$line")
      done
      keep "${kept[@]}" ;;
    -L|-nL) return 0 ;;
    *) return 2 ;;
  esac
}
iptables-restore() {
  local lines=() kept=() line name policy
  mapfile -t lines < "$STATE"
  if [[ $1 != -n ]]; then
    for line in "${lines[@]}"; do [[ $line == "C INPUT "* ]] && kept+=("$line"); done
    lines=("${kept[@]}")
  fi
  while IFS= read -r line; do
    case $line in
      "*filter"|COMMIT) ;;
      :*)
        read -r name policy _ <<< "${line#:}"
        kept=()
        for old in "${lines[@]}"; do
          [[ $old == "C $name "* || $old == "R $name "* && $name != INPUT ]] || kept+=("$old")
        done
        lines=("C $name $policy" "${kept[@]}") ;;
      "-A "*)
        read -r _ name policy <<< "$line"
        has_chain "$name" && is_rule $policy || return 1
        lines+=("R $name $policy") ;;
      *) return 1 ;;
    esac
  done
  keep "${lines[@]}"
}
"#;

/// Ports that the rules name.
const PORTS: [u16; 4] = [22, 23, 25, 80];
/// The most scripts that a failure shows.
const MAX_SHOWN: usize = 4;
/// How a script exits that stops at a check.
const ABORTED: i32 = 3;

struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % count
    }

    fn pick<'l>(&mut self, list: &[&'l str]) -> &'l str {
        list[self.below(list.len())]
    }
}

/// Writes a script.
struct Writer {
    random: Random,
    text: String,
    indent: usize,
    /// Functions that may be called here: those before the one that is being written.
    functions: usize,
    counters: usize,
    is_in_function: bool,
    loops: usize,
    left: usize,
}

impl Writer {
    fn line(&mut self, line: &str) {
        let blanks = " ".repeat(2 * self.indent);
        writeln!(self.text, "{blanks}{line}").expect("a String takes all that is written");
    }

    fn word(&mut self) -> String {
        let word = self.random.pick(&[
            "22",
            "23",
            "25",
            "80",
            "22",
            "80",
            "$A",
            "$B",
            "\"$A\"",
            "${B}",
            "$1",
            "\"$2\"",
            "$E",
            "${A:-80}",
            "$((A + 1))",
            "$(words)",
            "$((20 + 2))",
            "$#",
        ]);
        word.to_owned()
    }

    fn rule(&mut self) -> String {
        let port = self.word();
        let target = self.random.pick(&["ACCEPT", "ACCEPT", "DROP", "RETURN"]);
        format!("-p tcp -m tcp --dport {port} -j {target}")
    }

    fn command(&mut self) -> String {
        let chain = self.random.pick(&["INPUT", "INPUT", "INPUT", "C1"]);
        let rule = self.rule();
        match self.random.below(14) {
            0..6 => format!("iptables -A {chain} {rule}"),
            6 | 7 => format!("iptables -I {chain} {rule}"),
            8 => format!("iptables -D {chain} {rule}"),
            9 => format!(
                "iptables -P INPUT {}",
                self.random.pick(&["ACCEPT", "DROP"])
            ),
            10 => format!("iptables -N {}", self.random.pick(&["C1", "C2"])),
            11 => format!(
                "iptables -F {}",
                self.random.pick(&["INPUT", "C1", "C2", ""])
            ),
            12 => {
                let port = self.word();
                format!("iptables -A INPUT -p tcp -m tcp --dport {port} -j C1")
            }
            _ => format!("iptables -X {}", self.random.pick(&["C1", "C2"])),
        }
    }

    fn condition(&mut self) -> String {
        let word = self.word();
        let rule = self.rule();
        let chain = self.random.pick(&["INPUT", "C1"]);
        match self.random.below(16) {
            0 => "unknown".into(),
            1 => "! unknown".into(),
            2 => format!("[ \"$A\" = {} ]", self.random.pick(&["22", "80", "\"$B\""])),
            3 => format!("[ {word} -gt 23 ]"),
            4 => "[ -n \"$A\" ]".into(),
            5 => "[ -z \"$B\" ] || unknown".into(),
            6 => format!("iptables -C {chain} {rule}"),
            7 => format!("iptables -D {chain} {rule}"),
            8 => format!("iptables -nL {chain} >/dev/null 2>&1"),
            9 => "[ -f /etc/passwd ]".into(),
            10 => "[ -f /none ]".into(),
            11 => format!("[[ $A == {} ]]", self.random.pick(&["2*", "80", "?2"])),
            12 => format!("(( A {} 30 ))", self.random.pick(&["<", ">", "!="])),
            13 => self.random.pick(&["true", "false", ":"]).into(),
            14 => "[ \"$#\" -gt 0 ] && [ \"$1\" != 23 ]".into(),
            _ => format!("iptables -N {chain} 2>/dev/null"),
        }
    }

    fn assignment(&mut self) -> String {
        let name = self.random.pick(&["A", "B"]);
        match self.random.below(10) {
            0 => format!("{name}={}", self.random.pick(&["22", "80", "23"])),
            1 => format!("{name}=\"{}\"", self.random.pick(&["22 80", "", "$A $B"])),
            2 => format!("{name}=$(words)"),
            3 => format!("{name}=$(({name} + 1))"),
            4 => format!("{name}+={}", self.random.pick(&["2", "\" 80\""])),
            5 => format!("unset {name}"),
            6 => "L=(22 $A \"$B\")".into(),
            7 => format!("{name}=${{{name}:-25}}"),
            8 => "((A++))".into(),
            _ => format!("{name}={}", self.word()),
        }
    }

    fn block(&mut self, depth: usize) {
        self.indent += 1;
        for _ in 0..1 + self.random.below(3) {
            self.statement(depth);
        }
        self.indent -= 1;
    }

    fn statement(&mut self, depth: usize) {
        if self.left == 0 {
            return self.line(":");
        }
        self.left -= 1;
        let kind = self.random.below(if depth == 0 { 12 } else { 24 });
        match kind {
            0..4 => {
                let command = self.command();
                self.line(&command);
            }
            4..7 => {
                let assignment = self.assignment();
                self.line(&assignment);
            }
            7 => {
                let (condition, command) = (self.condition(), self.command());
                let link = self.random.pick(&["&&", "||"]);
                self.line(&format!("{condition} {link} {command}"));
            }
            8 => {
                let rule = self.rule();
                self.line(&format!(
                    "iptables -C INPUT {rule} || iptables -A INPUT {rule}"
                ));
            }
            9 if self.functions > 0 => {
                let (name, word, other) =
                    (self.random.below(self.functions), self.word(), self.word());
                self.line(&format!("f{name} {word} {other}"));
            }
            10 => self.leave(),
            11 if self.random.below(4) == 0 => {
                let command = self.command();
                let command = command.replace(['"', '\''], "");
                self.line(&format!("trap '{command}' EXIT"));
            }
            12..15 => self.branch(depth),
            15 | 16 => self.choice(depth),
            17..20 => self.repeat(depth),
            20 => {
                self.line("(");
                self.block(depth - 1);
                self.line(")");
            }
            21 | 22 => self.document(),
            23 => {
                let list = ["shift", "set -- 22 80", "set -- $A 23", "local A=25"];
                let command = self.random.pick(&list);
                self.line(command);
            }
            _ => {
                let command = self.command();
                self.line(&command);
            }
        }
    }

    fn leave(&mut self) {
        let condition = self.condition();
        let line = match self.random.below(5) {
            0 if self.loops > 0 => format!("{condition} && break"),
            1 if self.loops > 0 => format!("{condition} || continue"),
            2 if self.is_in_function => format!("{condition} && return"),
            3 if self.is_in_function => format!("{condition} || return 1"),
            _ if self.random.below(6) == 0 => format!("{condition} && exit 0"),
            _ => format!("{condition} || exit {ABORTED}"),
        };
        let is_kept = self.random.below(2) == 0;
        self.line(if is_kept { &line } else { ":" });
    }

    fn branch(&mut self, depth: usize) {
        let condition = self.condition();
        self.line(&format!("if {condition}; then"));
        self.block(depth - 1);
        if self.random.below(3) == 0 {
            let condition = self.condition();
            self.line(&format!("elif {condition}; then"));
            self.block(depth - 1);
        }
        if self.random.below(2) == 0 {
            self.line("else");
            self.block(depth - 1);
        }
        self.line("fi");
    }

    fn choice(&mut self, depth: usize) {
        let word = self.word();
        self.line(&format!("case {word} in"));
        for pattern in ["22|23)", "2*)", "\"$B\")", "*)"] {
            if self.random.below(3) > 0 {
                self.line(pattern);
                self.block(depth - 1);
                let end = self.random.pick(&[";;", ";;", ";;", ";&", ";;&"]);
                self.line(end);
            }
        }
        self.line("esac");
    }

    fn repeat(&mut self, depth: usize) {
        self.loops += 1;
        self.counters += 1;
        let counter = format!("i{}", self.counters);
        let kind = self.random.below(9);
        let words = [
            "22 80",
            "$A $B",
            "{22..25}",
            "$(seq 22 2 26)",
            "$(words)",
            "\"${L[@]}\"",
            "\"$@\"",
        ];
        match kind {
            0..5 => {
                let words = self.random.pick(&words);
                self.line(&format!("for A in {words}; do"));
                self.block(depth - 1);
                self.line("done");
            }
            5 => {
                self.line(&format!("{counter}=0"));
                self.line(&format!("while [ ${counter} -lt 2 ]; do"));
                self.line(&format!("  {counter}=$(({counter} + 1))"));
                self.block(depth - 1);
                self.line("done");
            }
            6 => {
                self.line("while unknown; do");
                self.block(depth - 1);
                self.line("done");
            }
            7 => {
                let rule = self.rule();
                self.line(&format!(
                    "while iptables -D INPUT {rule} 2>/dev/null; do :; done"
                ));
            }
            _ => {
                self.line("words | while read A; do");
                self.block(depth - 1);
                self.line("done");
            }
        }
        self.loops -= 1;
    }

    fn document(&mut self) {
        let option = self.random.pick(&["", " -n", " -n"]);
        let end = self.random.pick(&["E", "E", "'E'"]);
        let quoted = end != "E";
        self.line(&format!("iptables-restore{option} <<{end}"));
        let indent = std::mem::take(&mut self.indent);
        self.line("*filter");
        if option.is_empty() {
            self.line(":INPUT ACCEPT [0:0]");
        }
        for _ in 0..1 + self.random.below(2) {
            let port = self.random.pick(if quoted {
                &["22", "80"]
            } else {
                &["22", "80", "$A", "${B}", "$((21 + 1))"]
            });
            let target = self.random.pick(&["ACCEPT", "DROP"]);
            self.line(&format!(
                "-A INPUT -p tcp -m tcp --dport {port} -j {target}"
            ));
        }
        self.line("COMMIT");
        self.line("E");
        self.indent = indent;
    }
}

/// A random script.
fn script(seed: u64) -> String {
    let mut writer = Writer {
        random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        text: String::from("#!/bin/bash\n"),
        indent: 0,
        functions: 0,
        counters: 0,
        is_in_function: false,
        loops: 0,
        left: 18,
    };
    let policy = writer.random.pick(&["ACCEPT", "DROP"]);
    writer.line(&format!("iptables -P INPUT {policy}"));
    if writer.random.below(2) == 0 {
        writer.line("iptables -N C1");
    }
    for number in 0..writer.random.below(3) {
        writer.is_in_function = true;
        writer.line(&format!("f{number}() {{"));
        writer.block(2);
        writer.line("}");
        writer.is_in_function = false;
        writer.functions = number + 1;
    }
    for _ in 0..2 + writer.random.below(6) {
        writer.statement(3);
    }
    // A script does not end within its last check.
    let last = writer.command();
    writer.line(&last);
    writer.text
}

/// The rules that bash makes by a script, as iptables-save prints them; `None` where the script
/// stopped at a check.
fn run_by_bash(folder: &Path, script: &str, random: &mut Random) -> Option<String> {
    let [programs, file, state] = ["programs", "script", "state"].map(|name| folder.join(name));
    fs::write(&programs, PROGRAMS).expect("there is room");
    fs::write(&file, script).expect("there is room");
    fs::write(&state, "C INPUT ACCEPT\n").expect("there is room");
    let mut command = Command::new("bash");
    command
        .arg(&file)
        .env("BASH_ENV", &programs)
        .env("STATE", &state)
        .env("SEED", random.below(30_000).to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    for _ in 0..random.below(3) {
        command.arg(random.pick(&["22", "80", "start", ""]));
    }
    for name in ["A", "B", "E"] {
        command.env_remove(name);
        if random.below(2) == 0 {
            command.env(name, random.pick(&["22", "80", "23", ""]));
        }
    }
    let status = command.status().expect("bash is installed");
    if status.code() == Some(ABORTED) {
        return None;
    }
    let kept = fs::read_to_string(&state).expect("the script keeps its rules there");
    let mut saved = String::from("*filter\n");
    for line in kept.lines().filter_map(|line| line.strip_prefix("C ")) {
        writeln!(saved, ":{line} [0:0]").expect("a String takes all that is written");
    }
    for line in kept.lines().filter_map(|line| line.strip_prefix("R ")) {
        writeln!(saved, "-A {line}").expect("a String takes all that is written");
    }
    saved.push_str("COMMIT\n");
    Some(saved)
}

/// How a packet to each port ends; `None` where that is undetermined.
fn verdicts(text: &str) -> [Option<String>; PORTS.len()] {
    let parsed = parse(text);
    PORTS.map(|port| {
        let json = format!(
            r#"{{"origin": "inbound", "in_interface": "eth0", "protocol": "tcp", "src": "10.244.1.9", "dst": "10.244.1.5", "sport": 40000, "dport": {port}}}"#
        );
        let packet = Packet::from_json(&json).expect("it is a packet");
        let trace = walk(&parsed.rulesets, None, &Host::pod(), &packet);
        trace.verdict().map(|verdict| format!("{:?}", verdict.kind))
    })
}

fn number(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // A leftover directory harms nothing.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_certain_walk_ends_as_with_the_rules_that_bash_makes() {
    let folder = Folder(env::temp_dir().join(format!("chainwalk-bash-{}", process::id())));
    fs::create_dir_all(&folder.0).expect("there is room");
    let (count, first) = (
        number("CHAINWALK_SCRIPTS", 200),
        number("CHAINWALK_SEED", 1),
    );
    let (mut walks, mut certain, mut aborted) = (0, 0, 0);
    let mut wrong = Vec::new();
    for seed in (0..count).map(|more| first.wrapping_mul(1_000_003).wrapping_add(more)) {
        let text = script(seed);
        let have = verdicts(&text);
        // Each run has other values for everything that the script does not determine.
        for run in 0..2 {
            let mut random = Random(seed.wrapping_add(run << 40));
            let Some(saved) = run_by_bash(&folder.0, &text, &mut random) else {
                aborted += 1;
                continue;
            };
            let want = verdicts(&saved);
            walks += PORTS.len();
            certain += have.iter().flatten().count();
            let differs = have
                .iter()
                .zip(&want)
                .any(|(have, want)| have.is_some() && have != want);
            if differs {
                wrong.push(format!(
                    "{text}\nbash makes\n{saved}\nports {PORTS:?}: {have:?}\nbash: {want:?}\n"
                ));
                break;
            }
        }
    }
    eprintln!(
        "{count} scripts, {walks} walks, {certain} of them certain, {aborted} runs stopped at a check, {} scripts differ",
        wrong.len()
    );
    wrong.sort_by_key(String::len);
    let (all, shown) = (wrong.len(), wrong.len().min(MAX_SHOWN));
    assert_eq!(
        all,
        0,
        "{all} of {count} scripts differ; the shortest:\n{}",
        wrong[..shown].join("\n")
    );
    assert!(
        certain * 5 > walks,
        "hardly a walk is certain: {certain} of {walks}"
    );
}
