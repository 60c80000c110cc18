//! The nft of this machine and Chainwalk: the fixtures of core load into a kernel, and what nft lists
//! then prints as nft 1.1 lists it, whatever the version here is. Requires root, iproute2 and nft.

use std::fs;
use std::path::Path;

use chainwalk_core::nftables::listing::Listing;
use chainwalk_tests::namespace::{Namespace, require};

/// Versions before 1.1 know the name `dstnat` at hook prerouting only.
const OUTPUT_PRIORITY: (&str, &str) = ("hook output priority dstnat", "hook output priority -100");

#[test]
fn what_nft_lists_prints_as_version_1_1_lists_it() {
    require(&["ip", "nft"]);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/nftables");
    for name in ["sidecar.nft", "node.nft"] {
        let path = fixtures.join(name);
        let text = fs::read_to_string(&path).expect("a fixture");
        let namespace = Namespace::new("nft");
        let loaded = std::env::temp_dir().join(format!("cw-{}-{name}", std::process::id()));
        fs::write(&loaded, text.replace(OUTPUT_PRIORITY.0, OUTPUT_PRIORITY.1)).expect("a file");
        namespace.run("nft", &["-f", &loaded.to_string_lossy()]);
        fs::remove_file(&loaded).expect("the file is there");
        let listed = namespace.run("nft", &["list", "ruleset"]);
        let listing = Listing::read(&listed);
        assert_eq!(listing.print(), text, "{name} was listed as\n{listed}");
        assert_eq!(listing.problems, []);
    }
}
