//! Privacy: nothing leaves the page. Every test checks the requests. Here the page itself tries to
//! send data.

use serde_json::json;

use crate::each_way;
use chainwalk_tests::site::Site;

#[test]
fn the_icon_is_in_the_page() {
    // A browser with a window would request /favicon.ico.
    each_way(|page| {
        page.holds("document.querySelector('link[rel=icon]').href.startsWith('data:')")
    });
}

#[test]
fn the_policy_lets_nothing_out() {
    // A server that records every request as missing.
    let elsewhere = Site::serve(|_| false);
    each_way(|page| {
        let try_all = "const [to] = arguments;
            window.refused = {};
            addEventListener('securitypolicyviolation', event => {
              refused[event.effectiveDirective] = 1 + (refused[event.effectiveDirective] ?? 0);
            });
            const put = (name, fields) => document.body.append(Object.assign(document.createElement(name), fields));
            const failed = () => {};
            fetch(to + 'fetch').catch(failed);
            navigator.sendBeacon(to + 'beacon', 'x');
            new EventSource(to + 'events').onerror = failed;
            try { new WebSocket(to.replace('http', 'ws') + 'socket').onerror = failed } catch { }
            new FontFace('x', `url(${to}font)`).load().catch(failed);
            import(to + 'module.js').catch(failed);
            put('img', {src: to + 'image'});
            put('script', {src: to + 'script.js'});
            put('link', {rel: 'stylesheet', href: to + 'style.css'});
            put('iframe', {src: to + 'frame'});
            put('object', {data: to + 'object'});
            put('video', {src: to + 'video'});
            put('base', {href: to});
            put('form', {action: to + 'form', method: 'post', id: 'away'});
            document.getElementById('away').submit()";
        page.run(try_all, elsewhere.url());
        let wanted = json!({"base-uri": 1, "connect-src": 4, "font-src": 1, "form-action": 1, "frame-src": 1,
            "img-src": 1, "media-src": 1, "object-src": 1, "script-src-elem": 2, "style-src-elem": 1});
        let mut refused = json!({});
        let all = page.poll(|| {
            refused = page.run("return refused", ());
            (refused == wanted).then_some(())
        });
        assert!(all.is_some(), "refused are {refused}");
        assert_eq!(elsewhere.missed(), [] as [&str; 0], "what got out");
        let complaints = page.complaints();
        assert!(
            complaints
                .iter()
                .all(|line| line.contains("Content Security Policy")),
            "{complaints:?}"
        );
        page.reads("#verdict", "Not captured.");
    });
}
