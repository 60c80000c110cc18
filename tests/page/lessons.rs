//! The lessons: each one is played to its end. The page around them is tested, too.

use chainwalk_core::lesson::{Exercise, Lesson, LessonStep, Work};
use chainwalk_tests::lessons;
use serde_json::{Value, json};
use thirtyfour::Key;

use crate::{Way, each_way, one_way};

/// A script that plays each step of one lesson as a reader would, but faster.
const PLAY: &str = r"
const [name, steps, next] = given;
const until = async (what, look) => {
  for (let left = 1500; left; left--) {
    const found = look();
    if (found) return found;
    await new Promise(done => setTimeout(done, 10));
  }
  throw new Error(`${name}: waited in vain for ${what}, at: ${document.getElementById('lesson')?.innerText}`);
};
const at = selector => document.querySelector(selector);
const write = (field, text) => {
  field.value = text;
  field.dispatchEvent(new InputEvent('input', {bubbles: true}));
};
location.hash = `lesson/${name}`;
for (const step of steps) {
  await until(step.title, () => at('#lesson-title')?.textContent == step.title);
  await until('the step to be shown', () => document.body.dataset.learning == location.hash);
  await until('its rules', () => at('#samples').selectedOptions[0].label.includes('lesson'));
  if (step.ask) {
    await until('the walk hidden or not', () => document.body.hasAttribute('data-asking') == step.ask.hides);
    if (at('.behind')) throw new Error(`${name}: ${step.title} tells before it is answered`);
    for (const {place, reply} of [step.ask.wrong, step.ask.right]) {
      const choice = `[data-choice='${place}']`;
      (await until(choice, () => at(choice))).click();
      await until(reply, () => at(choice).parentElement.querySelector('.reply')?.textContent == reply);
      if (place == step.ask.wrong.place && at('.behind')) throw new Error(`${name}: ${step.title} takes a wrong answer`);
    }
    await until('the text after the exercise', () => at('.behind') && !document.body.hasAttribute('data-asking'));
  }
  if (step.task) {
    await until('an untouched task', () => {
      at('#lesson-check').click();
      return at('#lesson-judged').textContent.includes('nothing is changed');
    });
    if (step.task.text) {
      at('#lesson-edit').click();
      write(await until('the text field', () => at('#paste-area')), step.task.text);
    }
    for (const [field, value] of step.task.fields) write(await until(field, () => at(`#a-${field}`)), value);
    // The page draws the text after a moment. The check uses what is drawn.
    await until('the task solved', () => {
      at('#lesson-check').click();
      return at('#lesson-judged').textContent.includes('Solved');
    });
    await until('the text after the exercise', () => at('.behind'));
  }
  at('#lesson-next').click();
}
await until('the next lesson', () => location.hash == next);
";

#[test]
fn every_lesson_is_played_to_its_end() {
    one_way(Way::File, |page| {
        let lessons = lessons::all();
        for (place, (name, lesson)) in lessons.iter().enumerate() {
            let next = lessons
                .get(place + 1)
                .map_or("#lessons".into(), |(next, _)| format!("#lesson/{next}"));
            let steps: Vec<Value> = lesson.steps.iter().map(|step| plan(lesson, step)).collect();
            let play = format!("return (async given => {{{PLAY}}})(arguments[0]).catch(String)");
            assert_eq!(page.run(&play, json!([name, steps, next])), Value::Null);
        }
        // All lessons are solved, so all are marked as done.
        page.run("location.hash = 'lessons'", ());
        page.holds(&format!(
            "document.querySelectorAll('.all b').length == {}",
            lessons.len()
        ));
        page.holds("[...document.querySelectorAll('.all b')].every(state => state.textContent.includes('done') && !state.textContent.includes(' of '))");
    });
}

/// The actions in a step, and the expected replies.
fn plan(lesson: &Lesson, step: &LessonStep) -> Value {
    let mut plan = json!({"title": step.title});
    match &step.exercise {
        Some(Exercise::Ask(question)) => {
            let answer = |right: bool| {
                let found = question
                    .choices
                    .iter()
                    .position(|choice| choice.right == right);
                let place = found.expect("there is such an answer");
                json!({"place": place, "reply": question.choices[place].reply})
            };
            plan["ask"] =
                json!({"hides": question.hides, "wrong": answer(false), "right": answer(true)});
        }
        Some(Exercise::Task(task)) => {
            let solution = &task.solutions[0];
            let world = &lesson.worlds[step.scene.world];
            plan["task"] = match &task.work {
                Work::Rules => {
                    json!({"text": world.changed(solution.split(" ; ")).expect("it was tried"), "fields": []})
                }
                Work::Packet(..) => {
                    json!({"fields": solution.split(',').map(|change: &str| {
                        let (key, value) = change
                            .trim()
                            .split_once(' ')
                            .expect("a field and its value");
                        json!([key, value])
                    }).collect::<Vec<_>>()})
                }
            };
        }
        None => {}
    }
    plan
}

#[test]
fn a_lesson_is_opened_answered_and_remembered() {
    each_way(|page| {
        page.click("#lessons-open");
        page.reads("#lesson", "Reading a dump");
        page.click("a[href='#lesson/the-number-1337']");
        page.reads("#lesson-title", "Two packets");
        page.reads("#verdict", "");
        // Neither the verdict nor the steps show the answer.
        page.holds("!document.querySelector('#verdict').checkVisibility()");
        page.holds(
            "getComputedStyle(document.querySelector('#pane-walk .steps')).visibility == 'hidden'",
        );
        assert!(!page.accessible_text().contains("lets uid 1337 out"));

        page.click("#lesson-hint");
        page.reads(".hints", "ISTIO_OUTPUT");
        page.click("[data-choice='0']");
        page.reads(".reply", "Had the uid been 1000 and not 1337, rule 9 of ISTIO_OUTPUT would have sent it to Envoy");
        page.click("[data-choice='2']");
        page.reads(
            "#verdict",
            "Not captured. Rule 4 of ISTIO_OUTPUT lets uid 1337 out.",
        );

        // A step has an address of its own, and the browser's back button works.
        page.click("#lesson-next");
        page.reads("#lesson-title", "The rule that decides");
        page.holds("location.hash == '#lesson/the-number-1337/2'");
        page.run("history.back()", ());
        page.reads("#lesson-title", "Two packets");

        // The progress is stored for the next visit, until the reader starts over.
        page.run("location.hash = 'lessons'", ());
        page.reads("#lesson", "1 of 7 done");
        page.reload();
        page.reads("#lesson", "1 of 7 done");
        page.holds("document.getElementById('progress-save').href.includes('the-number-1337')");
        page.click("#progress-reset");
        page.holds("!document.getElementById('progress-save')");
        page.click("#lesson-close");
        page.holds("!document.getElementById('lesson')");
        // The state before the lesson is restored.
        page.holds("document.getElementById('samples').value == '0'");
        page.reads("#verdict", "Not captured. Rule 4");
    });
}

#[test]
fn a_lesson_needs_no_mouse() {
    one_way(Way::File, |page| {
        page.paste("*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j DROP\nCOMMIT\n");
        page.reads("#verdict", "Dropped.");
        page.run("document.getElementById('lessons-open').focus()", ());
        page.press(Key::Enter);
        page.holds("document.activeElement.id == 'lesson-title'");
        // The first lesson of the list, and its first answer.
        for (look, key) in [
            ("a[href^=\"#lesson/\"]", Key::Enter),
            ("[data-choice=\"0\"]", Key::Enter),
        ] {
            // The title has the focus while the lessons are loading.
            page.holds(&format!("document.querySelector('{look}')"));
            for _ in 0..40 {
                page.press(Key::Tab);
                if page.run(
                    &format!("return document.activeElement.matches('{look}')"),
                    (),
                ) == true
                {
                    break;
                }
            }
            page.holds(&format!("document.activeElement.matches('{look}')"));
            page.press(key);
            page.until("an answer, or the lesson", || {
                page.run(
                    "return document.activeElement.id == 'lesson-title' || Boolean(document.querySelector('.reply'))",
                    (),
                )
                .as_bool()
                .filter(|is| *is)
            });
        }
        page.reads(".reply", "Had the protocol been udp");
        page.click("#lesson-close");
        page.reads("#verdict", "Dropped.");
        page.reads("#samples", "Your paste");
    });
}

#[test]
fn trainers_see_all_answers_and_print_them() {
    one_way(Way::File, |page| {
        page.run("location.hash = 'lesson/the-number-1337/1'", ());
        page.reads("#lesson-title", "Two packets");
        page.click("#lesson-trainer");
        page.holds("document.querySelectorAll('.reply').length == 4");
        page.reads("#verdict", "Not captured.");
        page.run("location.hash = 'lesson/the-number-1337/handout'", ());
        page.reads("#lesson", "7. What follows");
        page.holds("document.querySelectorAll('.sheet').length == 7");
        page.holds("!document.querySelector('.page').checkVisibility()");
        page.reads("#lesson", "Had the uid been 1000");
    });
}

#[test]
fn a_lesson_from_a_file_is_shown_or_refused_with_its_line() {
    const OPEN: &str = "const input = document.getElementById('lesson-file');
        const files = new DataTransfer();
        files.items.add(new File([arguments[0]], 'mine.md'));
        input.files = files.files;
        input.dispatchEvent(new Event('change', {bubbles: true}))";
    one_way(Way::File, |page| {
        let guide = include_str!("../../docs/write-a-lesson.md");
        let template = guide
            .split("````markdown\n")
            .nth(1)
            .and_then(|rest| rest.split("````").next());
        let template = template.expect("there is a template");
        page.click("#lessons-open");
        page.reads("#lesson", "Five puzzles");
        page.run(OPEN, template.replace("- sent eth0", "- sent eth7"));
        page.reads(
            "#lesson",
            "This lesson cannot be used. Line 22: there is no interface `eth7`",
        );
        page.run(OPEN, template);
        page.reads("#lesson-title", "Two programs");
        page.holds("location.hash == '#lesson/own'");
        page.click("[data-choice='1']");
        page.reads(".behind", "Not captured.");
    });
}

#[test]
fn lessons_fit_every_window() {
    each_way(|page| {
        for size in [crate::WIDE, (1024, 768), (400, 800)] {
            page.show_as(size, "light");
            page.run("location.hash = 'lesson/the-number-1337/2'", ());
            page.reads("#lesson-title", "The rule that decides");
            page.click("[data-choice='2']");
            page.reads(".behind", "The packets differ first at");
            // The reply to the answer is visible in the panel.
            page.holds(
                "(reply => document.elementFromPoint(reply.x + 20, reply.bottom - 10)?.closest('.reply'))
                    (document.querySelector(\"[data-choice='2'] + div .reply\").getBoundingClientRect())",
            );
            let width = page
                .run("return document.scrollingElement.scrollWidth", ())
                .as_u64()
                .expect("a number");
            assert!(
                width <= u64::from(size.0),
                "{size:?}: scrolls sideways: {width}"
            );
            page.holds("document.querySelector('#verdict h1').getBoundingClientRect().top >= 0");
            page.run("location.hash = ''", ());
        }
    });
}
