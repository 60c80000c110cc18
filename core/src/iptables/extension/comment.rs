//! `-m comment` (xt_comment.c): matches every packet.

use super::{Extension, Kind, Opt};

/// `-m comment`.
pub static COMMENT: Extension = Extension::matching(
    "comment",
    "a comment; matches every packet",
    &[Opt::new("--comment", Kind::Cut(255)).required()],
)
.listed("", &[("/*^%^*/", "--comment %")]);
