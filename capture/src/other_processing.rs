//! What acts on packets next to the rules, as far as the kernel lists it without tools.
//!
//! The programs of control groups and those of tcx are listed by `bpf(2)` alone, which no safe
//! library calls: the capture states that they are unread.

use std::io;

use chainwalk_core::packet::other_processing::{Mechanism, OtherProcessing};

use crate::capability;
use crate::interface::{InterfaceLink, xdp_programs};
use crate::netlink::Netlink;
use crate::{ipvs, traffic_control, xfrm};

/// Reads it for the network namespace of the calling thread. `netlink` is a socket of routing.
pub(crate) fn read_other_processing(
    netlink: &mut Netlink,
    links: &[InterfaceLink],
    warnings: &mut Vec<String>,
) -> OtherProcessing {
    let mut found = OtherProcessing {
        unread: vec![Mechanism::Cgroup, Mechanism::Tcx],
        programs: xdp_programs(links),
        ..OtherProcessing::default()
    };
    let mut missing = |mechanism: Mechanism, what: &str, error: Option<io::Error>| {
        found.unread.push(mechanism);
        warnings.push(match error {
            Some(error) => format!("{what} could not be read: {error}{}", capability::hint()),
            None => format!("the kernel lists more {what} than this capture has"),
        });
    };
    match traffic_control::filters(netlink, links) {
        Ok((filters, is_cut)) => {
            found.programs.extend(filters);
            if is_cut {
                missing(Mechanism::Tc, "filters of traffic control", None);
            }
        }
        Err(error) => missing(Mechanism::Tc, "filters of traffic control", Some(error)),
    }
    match ipvs::services() {
        Ok((services, is_cut)) => {
            found.ipvs_services = services;
            if is_cut {
                missing(Mechanism::Ipvs, "services of IPVS", None);
            }
        }
        Err(error) => missing(Mechanism::Ipvs, "services of IPVS", Some(error)),
    }
    match xfrm::policies() {
        Ok((policies, is_cut)) => {
            found.xfrm_policies = policies;
            if is_cut {
                missing(Mechanism::Xfrm, "policies of IPsec", None);
            }
        }
        Err(error) => missing(Mechanism::Xfrm, "policies of IPsec", Some(error)),
    }
    found
}
