//! Scripts: the commands that a shell would run, as far as the text determines it. The rest is
//! unknown.

use chainwalk_core::input::parse::parse;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::walk::trace::Verdict;
use chainwalk_core::walk::walk;

fn inbound(port: u16) -> Packet {
    let json = format!(
        r#"{{"origin": "inbound", "in_interface": "eth0", "protocol": "tcp", "src": "10.244.1.9", "dst": "10.244.1.5", "sport": 40000, "dport": {port}}}"#
    );
    Packet::from_json(&json).expect("it is a packet")
}

/// Checks whether the ports 22, 23, 25 and 80 are delivered (`+`), dropped (`-`) or unknown (`?`),
/// in this order.
#[track_caller]
fn check(script: &str, want: &str) {
    let parsed = parse(script);
    let have: String = [22, 23, 25, 80]
        .into_iter()
        .map(|port| {
            let trace = walk(&parsed.rulesets, None, &Host::pod(), &inbound(port));
            match trace.verdict() {
                None => '?',
                Some(Verdict { kind, .. }) if format!("{kind:?}") == "Delivered" => '+',
                Some(_) => '-',
            }
        })
        .collect();
    assert_eq!(have, want, "{script}\n{:?}", parsed.diagnostics);
}

/// A script that drops everything it does not accept.
fn strict(lines: &str) -> String {
    format!("#!/bin/bash\niptables -P INPUT DROP\n{lines}")
}

const ACCEPT: &str = "iptables -A INPUT -p tcp -j ACCEPT --dport";

#[test]
fn functions_run_at_their_call() {
    check(
        &strict(&format!(
            "up() {{\n  {ACCEPT} 22\n}}\ndown() {{\n  iptables -F INPUT\n}}\nup\n"
        )),
        "+---",
    );
    check(
        &strict(&format!(
            "up() {{\n  {ACCEPT} 22\n}}\ndown() {{\n  iptables -F INPUT\n}}\nup\ndown\n"
        )),
        "----",
    );
    check(&strict(&format!("up() {{\n  {ACCEPT} 22\n}}\n")), "----");
    check(
        &strict(&format!(
            "allow() {{\n  {ACCEPT} $1\n}}\nallow 22\nallow 80\n"
        )),
        "+--+",
    );
    check(
        &strict(&format!(
            "allow() {{ {ACCEPT} \"$1\"; }}\nallow 22; allow 23\n"
        )),
        "++--",
    );
    check(
        &strict(&format!(
            "function allow {{\n  local port=$1\n  {ACCEPT} ${{port}}\n}}\nport=80\nallow 22\n{ACCEPT} $port\n"
        )),
        "+--+",
    );
    check(
        &strict(&format!(
            "allow()\n{{\n  for p in \"$@\"; do\n    {ACCEPT} $p\n  done\n}}\nmain() {{\n  allow 22 25\n}}\nmain \"$@\"\n"
        )),
        "+-+-",
    );
    check(
        &strict("ipt() { iptables -w \"$@\"; }\nipt -A INPUT -p tcp --dport 22 -j ACCEPT\n"),
        "+---",
    );
    check(
        &strict(
            "run() { echo \"+ $*\"; \"$@\"; }\nrun iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n",
        ),
        "+---",
    );
    check(
        &strict(&format!(
            "up() {{\n  {ACCEPT} 22\n}}\nA=$(cat list 2>/dev/null)\nup\n"
        )),
        "+---",
    );
    // Endless recursion: the text determines nothing.
    check(
        &strict(&format!("a() {{\n  {ACCEPT} 22\n  a\n}}\na\n")),
        "????",
    );
    // `"$1"` may be any of the functions.
    check(
        &strict(&format!("up() {{\n  {ACCEPT} 22\n}}\n\"$1\"\n")),
        "?---",
    );
    check(
        &strict(&format!(
            "up() {{\n  {ACCEPT} 22\n}}\n[ -n \"$1\" ] && up\n"
        )),
        "?---",
    );
    check(
        &strict(&format!(
            "up() {{\n  [ -n \"$1\" ] || return 0\n  {ACCEPT} $1\n}}\nup\nup 22\n"
        )),
        "+---",
    );
}

#[test]
fn the_branch_that_the_text_chooses_runs() {
    let chosen = |condition: &str| {
        strict(&format!(
            "MODE=open\nN=3\nE=\nif {condition}; then\n  {ACCEPT} 22\nelse\n  {ACCEPT} 80\nfi\n"
        ))
    };
    for condition in [
        "[ \"$MODE\" = open ]",
        "[ $MODE != closed ]",
        "[[ $MODE == op* ]]",
        "test -n \"$MODE\"",
        "[ -z \"$E\" ]",
        "[ \"$N\" -eq 3 ]",
        "[ $N -gt 1 ] && [ $N -lt 5 ]",
        "! [ \"$MODE\" = closed ]",
        "[ \"$MODE\" = closed ] || true",
        "iptables -L INPUT >/dev/null",
        "! iptables -L NONE >/dev/null 2>&1",
        "! iptables -C INPUT -j DROP 2>/dev/null",
    ] {
        check(&chosen(condition), "+---");
    }
    for condition in [
        "[ \"$MODE\" = closed ]",
        "false",
        "iptables -nL NONE",
        "[ -n \"$E\" ]",
    ] {
        check(&chosen(condition), "---+");
    }
    for condition in [
        "[ \"$1\" = open ]",
        "[ -n \"$ADMIN\" ]",
        "[ -f /etc/x ]",
        "grep -q x /etc/x",
        "ping -c 1 10.0.0.1",
    ] {
        check(&chosen(condition), "?--?");
    }
    check(
        &strict(&format!(
            "MODE=$1\nif [ \"$MODE\" = open ]; then {ACCEPT} 22; elif [ \"$MODE\" = web ]; then {ACCEPT} 80; fi\n"
        )),
        "?--?",
    );
    check(
        &strict(&format!(
            "MODE=web\nif [ \"$MODE\" = open ]; then {ACCEPT} 22; elif [ \"$MODE\" = web ]; then {ACCEPT} 80; else {ACCEPT} 25; fi\n"
        )),
        "---+",
    );
}

#[test]
fn what_is_set_in_a_branch_is_known_if_all_branches_agree() {
    let after = |one: &str, other: &str| {
        strict(&format!(
            "PORT=22\nif [ \"$1\" = x ]; then\n  PORT={one}\nelse\n  PORT={other}\nfi\n{ACCEPT} $PORT\n"
        ))
    };
    check(&after("80", "80"), "---+");
    check(&after("80", "22"), "????");
    check(
        &strict(&format!("PORT=22\n. /etc/ports\n{ACCEPT} $PORT\n")),
        "????",
    );
    check(
        &strict(&format!("PORT=22\nread PORT\n{ACCEPT} $PORT\n")),
        "????",
    );
    check(
        &strict(&format!("PORT=22\n( PORT=80 )\n{ACCEPT} $PORT\n")),
        "+---",
    );
    check(
        &strict(&format!("PORT=${{PORT:-22}}\n{ACCEPT} $PORT\n")),
        "????",
    );
}

#[test]
fn the_arm_that_the_text_chooses_runs() {
    let case = |word: &str| {
        strict(&format!(
            "MODE=web\ncase {word} in\n  ssh|telnet)\n    {ACCEPT} 22\n    ;;\n  w*) {ACCEPT} 80 ;;\n  *)\n    {ACCEPT} 25\n    ;;\nesac\n"
        ))
    };
    check(&case("\"$MODE\""), "---+");
    check(&case("telnet"), "+---");
    check(&case("x"), "--+-");
    check(&case("\"$1\""), "?-??");
    check(
        &strict(&format!(
            "case \"$1\" in\n  start) {ACCEPT} 22 ;;\n  *) echo usage; exit 1 ;;\nesac\n{ACCEPT} 80\n"
        )),
        "+--+",
    );
    let init = format!(
        "start() {{\n  iptables -P INPUT DROP\n  {ACCEPT} 22\n}}\nstop() {{\n  iptables -P INPUT ACCEPT\n  iptables -F\n}}\ncase \"$1\" in\n  start) start ;;\n  stop) stop ;;\n  restart)\n    stop\n    start\n    ;;\n  *) echo \"usage: $0 start|stop\" ;;\nesac\n"
    );
    check(&init, "????");
}

#[test]
fn loops_over_words_of_the_text_are_unrolled() {
    check(
        &strict(&format!("for p in 22 80; do\n  {ACCEPT} $p\ndone\n")),
        "+--+",
    );
    check(
        &strict(&format!("for p in 22 80\ndo\n  {ACCEPT} $p\ndone\n")),
        "+--+",
    );
    check(
        &strict(&format!(
            "PORTS=\"22 80\"\nfor p in $PORTS; do {ACCEPT} $p; done\n"
        )),
        "+--+",
    );
    check(
        &strict(&format!(
            "PORTS=(22\n  80)\nfor p in \"${{PORTS[@]}}\"; do {ACCEPT} $p; done\n"
        )),
        "+--+",
    );
    check(
        &strict(&format!(
            "for p in 22 80; do\n  [ $p = 80 ] && continue\n  {ACCEPT} $p\ndone\n"
        )),
        "+---",
    );
    check(
        &strict(&format!(
            "for p in 22 80; do\n  {ACCEPT} $p\n  break\ndone\n"
        )),
        "+---",
    );
    check(
        &strict(
            "for cmd in iptables ip6tables; do\n  $cmd -A INPUT -p tcp --dport 22 -j ACCEPT\ndone\n",
        ),
        "+---",
    );
    check(
        &strict(
            "for a in 22 23; do for b in tcp udp; do iptables -A INPUT -p $b --dport $a -j ACCEPT; done; done\n",
        ),
        "++--",
    );
    // The list is known only at run time.
    check(
        &strict(&format!(
            "for p in $PORTS; do {ACCEPT} $p; done\n{ACCEPT} 22\n"
        )),
        "????",
    );
    check(
        &strict(
            "for i in $(ls /sys/class/net); do iptables -A INPUT -i $i -p tcp --dport 22 -j ACCEPT; done\n",
        ),
        "?---",
    );
    check(
        &strict(&format!(
            "while read port; do {ACCEPT} $port; done < ports\n"
        )),
        "????",
    );
    check(
        &strict(&format!(
            "PORT=22\nwhile read line; do {ACCEPT} $PORT; PORT=80; done < ports\n"
        )),
        "????",
    );
    check(
        &strict(&format!(
            "cat list | while read port; do\n  iptables -A INPUT -p tcp --dport 22 -j ACCEPT\ndone\n{ACCEPT} 80\n"
        )),
        "?--+",
    );
    check(
        &strict(&format!(
            "{ACCEPT} 22\nwhile iptables -D INPUT -p tcp -j ACCEPT --dport 22 2>/dev/null; do :; done\n{ACCEPT} 80\n"
        )),
        "---+",
    );
    check(
        &strict(&format!("until false; do {ACCEPT} 22; break; done\n")),
        "+---",
    );
}

#[test]
fn a_script_that_was_run_did_not_stop_at_its_checks() {
    for check_of_script in [
        "[ \"$(id -u)\" -eq 0 ] || exit 1",
        "[ \"$EUID\" -ne 0 ] && { echo root only; exit 1; }",
        "if [ \"$(id -u)\" != 0 ]; then\n  echo root only >&2\n  exit 1\nfi",
        "[ -x /sbin/iptables ] || exit 0",
        "command -v iptables >/dev/null || exit",
        "die() { echo \"$1\"; exit 2; }\n[ -n \"$DEV\" ] || die 'no device'",
    ] {
        check(
            &strict(&format!("{check_of_script}\n{ACCEPT} 22\n")),
            "+---",
        );
    }
    check(
        &strict(&format!(
            "if [ \"$1\" = stop ]; then\n  {ACCEPT} 80\n  exit 0\nfi\n{ACCEPT} 22\n"
        )),
        "?--?",
    );
    check(
        &strict(&format!(
            "if [ \"$1\" = stop ]; then\n  exit 0\nfi\n{ACCEPT} 22\n"
        )),
        "?---",
    );
    check(
        &strict(&format!("{ACCEPT} 22\nexit 0\n{ACCEPT} 80\n")),
        "+---",
    );
}

#[test]
fn commands_that_depend_on_another_one() {
    check(
        &strict(&format!(
            "iptables -N X 2>/dev/null || iptables -F X\n{ACCEPT} 22\n"
        )),
        "+---",
    );
    check(
        &strict(&format!(
            "{ACCEPT} 22\niptables -C INPUT -p tcp -j ACCEPT --dport 22 || {ACCEPT} 80\n"
        )),
        "+---",
    );
    check(
        &strict(&format!(
            "[ \"$1\" ] && {ACCEPT} 22\niptables -C INPUT -p tcp -j ACCEPT --dport 22 || {ACCEPT} 22\n"
        )),
        "?---",
    );
    // `$(port)` may fail, and may give another port in each run.
    let added = "iptables -N X\niptables -A X -p tcp --dport $(port) -j ACCEPT\n";
    check(
        &strict(&format!(
            "{added}iptables -C X -p tcp --dport $(port) -j ACCEPT || {ACCEPT} 22\n"
        )),
        "?---",
    );
    check(
        &strict(&format!("iptables-save | grep -q X || {ACCEPT} 22\n")),
        "?---",
    );
    check(&strict(&format!("echo go && {ACCEPT} 22\n")), "+---");
    check(&strict(&format!("true || {ACCEPT} 22\n")), "----");
    check(
        &strict("SUDO=sudo\n$SUDO iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"),
        "+---",
    );
    check(
        &strict("$SUDO iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"),
        "?---",
    );
    check(
        &strict("cat list | xargs -n1 iptables -A INPUT -j ACCEPT -s\n"),
        "????",
    );
    check(
        &strict(
            "sh -c 'iptables -A INPUT -p tcp --dport 22 -j ACCEPT; iptables -A INPUT -p tcp --dport 80 -j ACCEPT'\n",
        ),
        "+--+",
    );
    check(
        &strict("IPT=$(which iptables)\n$IPT -A INPUT -p tcp --dport 22 -j ACCEPT\n"),
        "+---",
    );
    check(
        &strict(
            "if [ \"$1\" = x ]; then\n iptables-restore <<END\n*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\nEND\nfi\n",
        ),
        "????",
    );
}

#[test]
fn sentences_around_a_script_are_no_part_of_it() {
    let prose = "I don't know if this is right, for example:\n\ndone with that (see below), while it works\n";
    check(
        &format!("{prose}\n{}", strict(&format!("{ACCEPT} 22\n"))),
        "+---",
    );
    check(
        &format!("{}\n{prose}", strict(&format!("{ACCEPT} 22\n"))),
        "+---",
    );
    check(
        &strict(&format!(
            "{ACCEPT} 22\nthen exit the shell, don't wait, for it\nif you want:\n{ACCEPT} 80\n"
        )),
        "+--+",
    );
    check(
        &strict(&format!(
            "cat <<EOF\nusage: if you don't (\nfor x\nEOF\n{ACCEPT} 22\n"
        )),
        "+---",
    );
}

#[test]
fn a_structure_without_its_end_leaves_what_follows_unknown() {
    check(
        &strict(&format!(
            "V=1\nif [ $V = 0 ]; then\n  {ACCEPT} 22\n{ACCEPT} 80\n"
        )),
        "?--?",
    );
    check(
        &strict(&format!("for p in 22 80; do\n  {ACCEPT} $p\n")),
        "????",
    );
}

#[test]
fn a_deletion_whose_words_are_not_in_the_text_may_delete_any_rule() {
    let delete = "iptables -D INPUT -p tcp -j ACCEPT --dport $1\n";
    check(
        &strict(&format!("{ACCEPT} 22\n{delete}{ACCEPT} 80\n")),
        "?--+",
    );
    check(&strict(&format!("{delete}{ACCEPT} 22\n")), "+---");
}

#[test]
fn a_rule_with_an_unknown_value_may_have_been_refused_and_have_no_number() {
    let rule = "iptables -A INPUT -p tcp -j DROP --dport $1\n";
    check(
        &strict(&format!(
            "{rule}{ACCEPT} 22\niptables -I INPUT 2 -p tcp -j DROP --dport 80\n"
        )),
        "????",
    );
    check(
        &strict(&format!(
            "{ACCEPT} 22\n{rule}iptables -I INPUT 1 -p tcp -j DROP --dport 80\n"
        )),
        "+??-",
    );
}

#[test]
fn numbers_that_the_text_determines_are_counted() {
    for words in [
        "{22..23}",
        "$(seq 22 23)",
        "`seq 22 23`",
        "{22,23}",
        "$((20 + 2)) 23",
        "2{2,3}",
    ] {
        check(
            &strict(&format!("for p in {words}; do {ACCEPT} $p; done\n")),
            "++--",
        );
    }
    check(
        &strict(&format!(
            "P=22\nwhile [ $P -lt 24 ]; do {ACCEPT} $P; P=$((P + 1)); done\n"
        )),
        "++--",
    );
    check(
        &strict(&format!(
            "P=22\nwhile (( P < 24 )); do {ACCEPT} $P; (( P++ )); done\n"
        )),
        "++--",
    );
    // A shell may have no braces; files and values of the environment are unknown.
    for words in ["/etc/ports/*", "$(seq $N)", "{1..$N}"] {
        check(
            &strict(&format!("for p in {words}; do {ACCEPT} $p; done\n")),
            "????",
        );
    }
    check(
        &format!("#!/bin/sh\niptables -P INPUT DROP\nfor p in {{22..23}}; do {ACCEPT} $p; done\n"),
        "????",
    );
}

#[test]
fn a_trap_may_have_run() {
    check(
        &strict(&format!(
            "trap 'rm -f \"$tmp\"' EXIT\ntrap '' INT\n{ACCEPT} 22\n"
        )),
        "+---",
    );
    check(
        &strict(&format!(
            "trap 'iptables -F INPUT' EXIT\n{ACCEPT} 22\nexit 0\n"
        )),
        "?---",
    );
    check(
        &strict(&format!(
            "clean() {{\n  iptables -F INPUT\n}}\ntrap clean EXIT INT\n{ACCEPT} 22\n"
        )),
        "?---",
    );
    check(
        &strict(&format!(
            "[ -n \"$1\" ] && trap 'iptables -F INPUT' EXIT\n{ACCEPT} 22\n"
        )),
        "?---",
    );
}

#[test]
fn a_here_document_has_the_values_of_variables() {
    let restore = |word: &str, port: &str| {
        format!(
            "#!/bin/bash\nPORT=22\niptables-restore <<{word}\n*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport {port} -j ACCEPT\nCOMMIT\nEND\n"
        )
    };
    check(&restore("END", "$PORT"), "+---");
    check(&restore("END", "${PORT}"), "+---");
    check(&restore("END", "$((PORT + 1))"), "-+--");
    check(&restore("END", "$OTHER"), "????");
    // Without its value the line is refused, and the whole table with it.
    check(&restore("'END'", "$PORT"), "????");
    check(
        "#!/bin/bash\niptables-restore <<END\n*filter\n:INPUT DROP [0:0]\n$RULES\nCOMMIT\nEND\n",
        "????",
    );
}

#[test]
fn a_policy_that_may_not_have_been_set_is_unknown_after_a_return_and_a_flush() {
    check(
        "#!/bin/bash\n[ -n \"$1\" ] && iptables -P INPUT DROP\niptables -A INPUT -p tcp --dport 22 -j RETURN\n",
        "????",
    );
    check(
        "#!/bin/bash\n[ -n \"$1\" ] && iptables-restore < rules\niptables -F\n",
        "????",
    );
}

#[test]
fn what_a_loop_or_function_that_may_end_early_leaves_is_unknown() {
    check(
        &strict(&format!(
            "for p in 1 2; do P=22; [ -n \"$1\" ] && break; P=80; done\n{ACCEPT} $P\n"
        )),
        "????",
    );
    check(
        &strict(&format!(
            "while read x; do P=22; done < list\n{ACCEPT} $P\n"
        )),
        "????",
    );
    check(
        &strict(&format!(
            "P=22\nQ=0\nwhile read x; do\n  {ACCEPT} $P\n  [ $Q = 1 ] && P=80\n  Q=1\ndone < list\n"
        )),
        "????",
    );
    check(
        &strict(&format!(
            "f() {{\n  P=22\n  [ -n \"$1\" ] || return\n  P=80\n}}\nf \"$X\"\n{ACCEPT} $P\n"
        )),
        "????",
    );
    // `$X` without quotes may be no word, or several.
    check(
        &strict(&format!("f() {{\n  {ACCEPT} $2\n}}\nf $X 22\n")),
        "????",
    );
    check(
        &strict(&format!("f() {{\n  {ACCEPT} $2\n}}\nf \"$X\" 22\n")),
        "+---",
    );
}

#[test]
fn a_script_that_repeats_its_commands_without_bound_decides_nothing() {
    let calls: String = (0..9)
        .map(|at| {
            format!(
                "f{at}() {{\n  {}\n}}\n",
                format!("f{}; ", at + 1).repeat(10)
            )
        })
        .collect();
    check(
        &strict(&format!("{calls}f9() {{\n  {ACCEPT} 22\n}}\nf0\n")),
        "????",
    );
}

/// Found by random scripts that bash ran.
#[test]
fn an_exit_or_a_failure_that_the_text_does_not_determine_leaves_the_rest_undetermined() {
    let drops = "iptables -P INPUT DROP\n";
    for script in [
        format!("[ -f /run/done ] && exit 0\n{drops}"),
        format!("if [ -f /run/done ]; then exit 0; fi\n{drops}"),
        format!("if [ -n \"$B\" ]; then\n{drops}else\n(( A != 30 )) || exit 3\nfi\n"),
        format!("f() {{\n{drops}}}\nA='22 80'\nf $((A + 1))\n"),
        format!(
            "iptables -N C1\niptables-restore <<E\n*filter\n-A INPUT -p tcp --dport $B -j DROP\nCOMMIT\nE\n\
             iptables -P INPUT ACCEPT\niptables -F\niptables -N C1 && {drops}"
        ),
    ] {
        check(
            &format!("#!/bin/bash\niptables -P INPUT ACCEPT\n{script}"),
            "????",
        );
    }
}
