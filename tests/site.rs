//! `dist/` or another directory, on a web server that records the requests.
//!
//! The page is under a path, as on many hosts. Addresses that begin at the root would be missing.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The path of the page.
const BELOW: &str = "/tools/chainwalk/";

/// The built page: the directory in the variable CHAINWALK_DIST, otherwise `dist/` of this
/// checkout.
///
/// # Panics
/// If it does not exist.
pub fn dist() -> PathBuf {
    let dist = std::env::var_os("CHAINWALK_DIST").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("dist"),
        PathBuf::from,
    );
    for file in ["index.html", "chainwalk.html"] {
        assert!(
            dist.join(file).is_file(),
            "{} is missing: run `cargo xtask build`",
            dist.join(file).display()
        );
    }
    dist
}

/// The files of a directory, served from memory until the program ends.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    files: BTreeMap<String, Vec<u8>>,
    missed: Mutex<Vec<String>>,
}

impl Site {
    /// Serves the files of `dist/` whose names are `wanted`.
    ///
    /// # Panics
    /// If `dist/` does not exist, or this machine has no free port.
    pub fn serve(wanted: impl Fn(&str) -> bool) -> Arc<Self> {
        Self::of(&dist(), wanted)
    }

    /// Reads the files of a directory and serves those that are `wanted`.
    ///
    /// # Panics
    /// If it does not exist, or this machine has no free port.
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
                // A browser that closes the connection early is not an error.
                thread::spawn(move || site.answer(&stream));
            }
        });
        site
    }

    /// The address of the page. Those of its files begin with the same text.
    pub fn url(&self) -> String {
        format!("http://{}{BELOW}", self.address)
    }

    /// The requests for missing files. Only this log contains requests that the browser makes by
    /// itself.
    pub fn missed(&self) -> Vec<String> {
        self.missed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn answer(&self, mut stream: &TcpStream) -> io::Result<()> {
        let mut lines = BufReader::new(stream).lines();
        // A browser may open a connection in advance.
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

/// The media type that a static host would send.
fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
