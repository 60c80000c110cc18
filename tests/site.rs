//! `dist/`, and a web server, for it or another directory, that remembers what it was asked for.
//!
//! The page stands below a path, as it does on many hosts: addresses that begin at the root would
//! be missed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Below this path the page is served.
const BELOW: &str = "/tools/chainwalk/";

/// The built page: the directory that the environment's CHAINWALK_DIST names, or else `dist/` of
/// this checkout.
///
/// # Panics
/// When it is not there.
pub fn dist() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("dist");
    let dist = std::env::var_os("CHAINWALK_DIST").map_or_else(own, PathBuf::from);
    for file in ["index.html", "chainwalk.html"] {
        assert!(
            dist.join(file).is_file(),
            "{} is missing: run `cargo xtask build`",
            dist.join(file).display()
        );
    }
    dist
}

/// The files of a directory, served from memory for as long as the program runs.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    files: BTreeMap<String, Vec<u8>>,
    missed: Mutex<Vec<String>>,
}

impl Site {
    /// Serves those files of `dist/` that are wanted, by their names.
    ///
    /// # Panics
    /// When `dist/` is not there, or this machine gives no port.
    pub fn serve(wanted: impl Fn(&str) -> bool) -> Arc<Self> {
        Self::of(&dist(), wanted)
    }

    /// Reads the files of a directory and begins to serve those that are wanted.
    ///
    /// # Panics
    /// When it is not there, or this machine gives no port.
    pub fn of(directory: &Path, wanted: impl Fn(&str) -> bool) -> Arc<Self> {
        let files = fs::read_dir(directory).expect("it is there").map(|entry| {
            let path = entry.expect("a directory can be read to its end").path();
            let name = path
                .file_name()
                .expect("entries have names")
                .to_string_lossy()
                .into_owned();
            (name, fs::read(path).expect("its files can be read"))
        });
        let files = files.filter(|(name, _)| wanted(name)).collect();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let site = Arc::new(Self {
            address,
            files,
            missed: Mutex::default(),
        });
        let served = Arc::clone(&site);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let site = Arc::clone(&served);
                // A browser that goes away in the middle is no concern of ours.
                thread::spawn(move || site.answer(&stream));
            }
        });
        site
    }

    /// Where the page is. Its own files begin with the same text.
    pub fn url(&self) -> String {
        format!("http://{}{BELOW}", self.address)
    }

    /// What was asked for and is not there. What a browser asks for by itself is in no log but
    /// this.
    pub fn missed(&self) -> Vec<String> {
        self.missed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn answer(&self, mut stream: &TcpStream) -> io::Result<()> {
        let mut lines = BufReader::new(stream).lines();
        // A connection may be opened only to have one ready.
        let Some(first) = lines.next().transpose()? else {
            return Ok(());
        };
        for line in lines {
            if line?.is_empty() {
                break;
            }
        }
        let target = first.split(' ').nth(1).unwrap_or_default();
        let name = match target.strip_prefix(BELOW) {
            Some("") => "index.html",
            Some(name) => name,
            None => "",
        };
        let (status, content) = match self.files.get(name) {
            Some(content) => ("200 OK", content.as_slice()),
            None => {
                self.missed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(first.clone());
                ("404 Not Found", [].as_slice())
            }
        };
        let (kind, length) = (media_type(name), content.len());
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )?;
        stream.write_all(content)
    }
}

/// What a static host would say of a file.
fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
