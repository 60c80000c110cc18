//! `-m comment` (xt_comment.c): matches everything.

use super::{Extension, Kind, Opt};

/// `-m comment`.
pub static COMMENT: Extension = Extension::matching(
    "comment",
    "a remark; matches everything",
    &[Opt::new("--comment", Kind::Text(255)).required()],
);
