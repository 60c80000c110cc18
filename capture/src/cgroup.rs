//! The pod and the container of a process, from the name of its control group.
//!
//! The layouts are those of containerd, CRI-O, Docker and Podman with the kubelet's two drivers
//! (`cgroupfs` and `systemd`), with control groups of version 1 and 2:
//! ```text
//! 4:memory:/kubepods/burstable/pod0a1b…-…/3f6e…
//! 0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b…_….slice/cri-containerd-3f6e….scope
//! 0::/system.slice/containerd.service/kubepods-burstable-pod0a1b…_….slice:cri-containerd:3f6e…
//! 0::/system.slice/docker-3f6e….scope
//! ```

/// The pod and the container of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CgroupOwner {
    /// The UID of the pod, with dashes if it is a UUID.
    pub(crate) pod_uid: Option<String>,
    /// The id of the container.
    pub(crate) container_id: Option<String>,
    /// The control group with these names.
    pub(crate) group: Option<ControlGroup>,
}

/// A control group that has the name of a pod or, without a pod, of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ControlGroup {
    /// The controllers of the hierarchy (`memory`, `name=systemd`); empty for version 2.
    pub(crate) controllers: String,
    /// Its directory in the hierarchy.
    pub(crate) path: String,
    /// Whether it is within the control group of another pod or container.
    pub(crate) is_nested: bool,
}

/// Parses `/proc/PID/cgroup`. If hierarchies differ, the one that names a pod wins.
pub(crate) fn owner(text: &str) -> CgroupOwner {
    let owners = || {
        text.lines().filter_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            Some(owner_of_path(fields.next()?, fields.next()?))
        })
    };
    owners()
        .find(|owner| owner.pod_uid.is_some() && owner.container_id.is_some())
        .or_else(|| owners().find(|owner| owner.pod_uid.is_some()))
        .or_else(|| owners().find(|owner| owner.container_id.is_some()))
        .unwrap_or_default()
}

/// The innermost pod, and the innermost container within it. Nodes may themselves be containers.
fn owner_of_path(controllers: &str, path: &str) -> CgroupOwner {
    let mut owner = CgroupOwner::default();
    let mut end = 0;
    for name in path.split('/') {
        end += name.len();
        let is_nested = owner.group.is_some();
        let group = || {
            Some(ControlGroup {
                controllers: controllers.to_owned(),
                path: path[..end].to_owned(),
                is_nested,
            })
        };
        for part in name.split(':') {
            if let Some(uid) = pod_uid(part) {
                owner = CgroupOwner {
                    pod_uid: Some(uid),
                    container_id: None,
                    group: group(),
                };
            } else if let Some(id) = container_id(part) {
                if owner.pod_uid.is_none() {
                    owner.group = group();
                }
                owner.container_id = Some(id.to_owned());
            }
        }
        end += 1;
    }
    owner
}

/// `pod0a1b…-…` or `kubepods-burstable-pod0a1b…_….slice`.
fn pod_uid(part: &str) -> Option<String> {
    let name = part.strip_suffix(".slice").unwrap_or(part);
    let last = name.rsplit_once('-').map_or(name, |(_, last)| last);
    let uid = name
        .strip_prefix("pod")
        .or_else(|| last.strip_prefix("pod"))?;
    // systemd interprets a dash as a new level, so the kubelet writes underscores.
    let uid = uid.replace('_', "-");
    (is_uuid(&uid) || is_hex(&uid, 32)).then_some(uid)
}

/// `3f6e…` or `cri-containerd-3f6e….scope`.
fn container_id(part: &str) -> Option<&str> {
    let name = part.strip_suffix(".scope").unwrap_or(part);
    let id = name.rsplit_once('-').map_or(name, |(_, id)| id);
    // The process that monitors a container is not in the container.
    (is_hex(id, 64) && !name.starts_with("crio-conmon-")).then_some(id)
}

fn is_uuid(text: &str) -> bool {
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.split('-').all(|part| is_hex(part, part.len()))
}

/// The UID of a static pod is a hash of its file: 32 digits without dashes. The id of a container
/// has 64.
fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "1f2d3c4b-5a69-4788-97a6-b5c4d3e2f100";
    const CONTAINER: &str = "3f6e0b7a9c1d2e4f58697a8b9cadbecfd0e1f2031425364758697a8b9cadbecf";
    const NODE: &str = "00000000000000000000000000000000000000000000000000000000000000aa";

    fn check(text: &str, pod: Option<&str>, container: Option<&str>) {
        let text = text.replace("NODE", NODE).replace("CID", CONTAINER);
        let text = text
            .replace("P_O_D", &POD.replace('-', "_"))
            .replace("POD", POD);
        let owner = owner(&text);
        assert_eq!(
            (owner.pod_uid.as_deref(), owner.container_id.as_deref()),
            (pod, container),
            "{text}"
        );
    }

    #[test]
    fn kubelet_with_the_cgroupfs_driver() {
        check(
            "4:memory:/kubepods/burstable/podPOD/CID\n",
            Some(POD),
            Some(CONTAINER),
        );
        check(
            "12:pids:/\n4:memory:/kubepods/podPOD/CID\n0::/\n",
            Some(POD),
            Some(CONTAINER),
        );
        check(
            "0::/kubepods/besteffort/podPOD/crio-CID",
            Some(POD),
            Some(CONTAINER),
        );
    }

    #[test]
    fn kubelet_with_the_systemd_driver() {
        let slice =
            "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podP_O_D.slice";
        for scope in [
            "cri-containerd-CID.scope",
            "crio-CID.scope",
            "crio-CID.scope/container",
            "docker-CID.scope",
        ] {
            check(&format!("{slice}/{scope}"), Some(POD), Some(CONTAINER));
        }
        check(
            "0::/kubepods.slice/kubepods-podP_O_D.slice/cri-containerd-CID.scope",
            Some(POD),
            Some(CONTAINER),
        );
        check(
            "1:name=systemd:/system.slice/containerd.service/kubepods-burstable-podP_O_D.slice:cri-containerd:CID",
            Some(POD),
            Some(CONTAINER),
        );
    }

    #[test]
    fn a_node_that_is_a_container_itself() {
        let text = "0::/system.slice/docker-NODE.scope/kubelet.slice/kubelet-kubepods.slice/\
                    kubelet-kubepods-podP_O_D.slice/cri-containerd-CID.scope";
        check(text, Some(POD), Some(CONTAINER));
        check("0::/docker/NODE/kubelet/kubepods/podPOD", Some(POD), None);
    }

    #[test]
    fn seen_from_another_control_group_namespace() {
        check(
            "0::/../../kubepods-podP_O_D.slice/cri-containerd-CID.scope",
            Some(POD),
            Some(CONTAINER),
        );
    }

    #[test]
    fn a_static_pod_and_plain_containers() {
        let hash = "0123456789abcdef0123456789abcdef";
        check(
            &format!("0::/kubepods/burstable/pod{hash}/CID"),
            Some(hash),
            Some(CONTAINER),
        );
        check("0::/docker/CID", None, Some(CONTAINER));
        check(
            "0::/machine.slice/libpod-CID.scope/container",
            None,
            Some(CONTAINER),
        );
    }

    #[test]
    fn the_group_that_names_the_pod() {
        let group = |text: &str| {
            let group = owner(&text.replace("POD", POD).replace("CID", CONTAINER))
                .group
                .expect("it names a pod");
            (
                group.controllers,
                group.path.replace(POD, "POD").replace(CONTAINER, "CID"),
                group.is_nested,
            )
        };
        let expect = |controllers: &str, path: &str, nested| {
            (controllers.to_owned(), path.to_owned(), nested)
        };
        assert_eq!(
            group("4:memory:/kubepods/podPOD/CID"),
            expect("memory", "/kubepods/podPOD", false)
        );
        assert_eq!(
            group("0::/a.slice/podPOD.slice:cri:CID/x"),
            expect("", "/a.slice/podPOD.slice:cri:CID", false)
        );
        // A container can create this within its own control group.
        let forged = "0::/kubepods/pod0123456789abcdef0123456789abcdef/CID/podPOD/CID";
        assert_eq!(
            group(forged),
            expect(
                "",
                "/kubepods/pod0123456789abcdef0123456789abcdef/CID/podPOD",
                true
            )
        );
        assert_eq!(
            group("0::/docker/CID/podPOD"),
            expect("", "/docker/CID/podPOD", true)
        );
        assert_eq!(group("0::/docker/CID"), expect("", "/docker/CID", false));
    }

    #[test]
    fn what_only_looks_like_it() {
        check("0::/user.slice/user-0.slice/session-1.scope", None, None);
        check("0::/kubepods.slice/kubepods-burstable.slice", None, None);
        check("0::/tripodPOD/CIDff", None, None);
        check("0::/kubepods.slice/crio-conmon-CID.scope", None, None);
        check("", None, None);
        check("no colons", None, None);
    }
}
