//! A web server for one user on this machine. It serves a few files from memory and notifies open
//! pages of a new version.
//!
//! It uses no library: `tiny_http` has no server-sent events, and `hyper` needs an async runtime.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

/// Open pages listen at this path: a stream of server-sent events, one for each version.
const CHANGES_PATH: &str = "/changes";
/// The longest request head that the server reads. Browsers send less.
const MAX_HEAD_BYTES: u64 = 16 * 1024;
/// The server closes a connection that is silent for this long. A page that waits for changes then
/// gets the version again. If the page is closed, the write fails.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// The served files and their version.
#[derive(Debug, Default)]
pub struct Site {
    published: Mutex<Published>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Published {
    files: BTreeMap<String, Vec<u8>>,
    version: u128,
}

impl Site {
    /// Replaces all files. Each open page gets the version and reloads if it shows another one.
    /// `index.html` is also served at `/`.
    pub fn publish(&self, files: Vec<(String, Vec<u8>)>, version: u128) {
        *self.published() = Published {
            files: files.into_iter().collect(),
            version,
        };
        self.changed.notify_all();
    }

    fn published(&self) -> MutexGuard<'_, Published> {
        self.published
            .lock()
            .expect("no thread panics while it holds the files")
    }

    /// The content and the media type of the file that a request's target names. The target is
    /// looked up among the published names and never becomes a path, so no other file is
    /// reachable.
    fn file(&self, target: &str) -> Option<(Vec<u8>, &'static str)> {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let name = if path == "/" {
            "index.html"
        } else {
            path.strip_prefix('/')?
        };
        let content = self.published().files.get(name)?.clone();
        Some((content, media_type(name)))
    }

    /// Waits until the version differs from `seen`, for at most [`IDLE_TIMEOUT`], and returns it.
    fn wait_for_version(&self, seen: u128) -> u128 {
        let waited = self
            .changed
            .wait_timeout_while(self.published(), IDLE_TIMEOUT, |published| {
                published.version == seen
            });
        waited
            .expect("no thread panics while it holds the files")
            .0
            .version
    }
}

/// Serves `site` in threads of its own until the program ends.
pub fn serve(listener: TcpListener, site: Arc<Site>) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let site = Arc::clone(&site);
            // An error here means that the browser closed the connection.
            thread::spawn(move || answer(&stream, &site));
        }
    });
}

fn answer(stream: &TcpStream, site: &Site) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE_TIMEOUT))?;
    let Some(request) = Request::read(stream)? else {
        return Ok(());
    };
    if !is_local(&request.host) {
        // DNS rebinding: a foreign page can make its own name resolve to 127.0.0.1 and read these
        // files, but the browser then sends that name in the header.
        return respond(
            stream,
            "403 Forbidden",
            TEXT,
            b"This server answers to localhost and 127.0.0.1 only.\n",
            true,
        );
    }
    let with_body = match request.method.as_str() {
        "GET" => true,
        "HEAD" => false,
        _ => {
            return respond(
                stream,
                "405 Method Not Allowed",
                TEXT,
                b"Only GET and HEAD are served.\n",
                true,
            );
        }
    };
    if request.target == CHANGES_PATH {
        return send_versions(stream, site);
    }
    match site.file(&request.target) {
        Some((content, media_type)) => respond(stream, "200 OK", media_type, &content, with_body),
        None => respond(
            stream,
            "404 Not Found",
            TEXT,
            b"The page has no such file.\n",
            with_body,
        ),
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

fn respond(
    mut stream: &TcpStream,
    status: &str,
    media_type: &str,
    content: &[u8],
    with_body: bool,
) -> io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        content.len()
    )?;
    if with_body {
        stream.write_all(content)
    } else {
        Ok(())
    }
}

/// Sends the version, now and after each change, until the page closes the connection.
fn send_versions(mut stream: &TcpStream, site: &Site) -> io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n\
         retry: 1000\n"
    )?;
    let mut version = site.published().version;
    loop {
        write!(stream, "data: {version}\n\n")?;
        version = site.wait_for_version(version);
    }
}

/// The parts of a request that the server uses.
#[derive(Debug, PartialEq)]
struct Request {
    method: String,
    target: String,
    host: String,
}

impl Request {
    /// `None`: the input is not HTTP, or it is empty, because browsers open connections in advance.
    fn read(stream: impl Read) -> io::Result<Option<Self>> {
        let mut lines = BufReader::new(stream.take(MAX_HEAD_BYTES)).lines();
        let Some(first) = lines.next().transpose()? else {
            return Ok(None);
        };
        let mut words = first.split(' ');
        let (Some(method), Some(target), Some(_version)) =
            (words.next(), words.next(), words.next())
        else {
            return Ok(None);
        };
        let mut host = String::new();
        for line in lines {
            let line = line?;
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("host") => {
                    host = value.trim().to_owned()
                }
                Some(_) => {}
                None => break,
            }
        }
        Ok(Some(Self {
            method: method.to_owned(),
            target: target.to_owned(),
            host,
        }))
    }
}

/// Whether a `Host` header names this machine. Any port is accepted: it may be that of a tunnel.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|local| name.eq_ignore_ascii_case(local))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        // Browsers compile WebAssembly while it loads only if it has this type.
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Arc<Site> {
        let site = Arc::new(Site::default());
        site.publish(
            vec![
                ("index.html".to_owned(), b"hello".to_vec()),
                ("a-1.wasm".to_owned(), b"\0asm".to_vec()),
            ],
            7,
        );
        site
    }

    #[test]
    fn only_published_names_are_served() {
        let site = site();
        assert_eq!(
            site.file("/"),
            Some((b"hello".to_vec(), "text/html; charset=utf-8"))
        );
        assert_eq!(
            site.file("/index.html?x=1"),
            Some((b"hello".to_vec(), "text/html; charset=utf-8"))
        );
        assert_eq!(
            site.file("/a-1.wasm"),
            Some((b"\0asm".to_vec(), "application/wasm"))
        );
        for target in [
            "/../Cargo.toml",
            "/%2e%2e/Cargo.toml",
            "//etc/passwd",
            "/./index.html",
            "index.html",
            "",
            "*",
        ] {
            assert_eq!(site.file(target), None, "{target}");
        }
    }

    #[test]
    fn only_local_names_are_answered() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:1",
            "[::1]:8080",
            "[::1]",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "127.0.0.2",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn requests_are_read_up_to_the_empty_line() {
        let read = |text: &str| Request::read(text.as_bytes()).unwrap();
        assert_eq!(
            read(
                "GET /x HTTP/1.1\r\nhOsT:  localhost:80 \r\nAccept: */*\r\n\r\nHost: evil.example\r\n"
            ),
            Some(Request {
                method: "GET".into(),
                target: "/x".into(),
                host: "localhost:80".into()
            })
        );
        assert_eq!(read(""), None);
        assert_eq!(read("hello\r\n"), None);
    }

    /// The server's answer to `request`, up to the end of the stream.
    fn ask(address: std::net::SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn over_a_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let site = site();
        serve(listener, Arc::clone(&site));

        let page = ask(address, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(
            page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("\r\n\r\nhello"),
            "{page}"
        );
        assert!(page.contains("\r\nCache-Control: no-store\r\n"));
        assert!(ask(address, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n").ends_with("\r\n\r\n"));
        assert!(
            ask(address, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
                .starts_with("HTTP/1.1 403 ")
        );
        assert!(ask(address, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 403 "));
        assert!(
            ask(address, "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 405 ")
        );
        assert!(
            ask(address, "GET /../x HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .starts_with("HTTP/1.1 404 ")
        );

        // An open page gets the version, and then the next one.
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET /changes HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
        lines.find(|line| line == "data: 7").unwrap();
        site.publish(Vec::new(), 8);
        lines.find(|line| line == "data: 8").unwrap();
    }
}
