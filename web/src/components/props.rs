//! The props that several components share.

use chainwalk_session::state::{Evaluation, Version, View};
use yew::Properties;

use crate::dispatch::Dispatch;

/// The rules and packets, for components that do not depend on the view.
#[derive(Clone, Debug, PartialEq, Properties)]
pub(super) struct EvaluationProps {
    pub(super) evaluation: Evaluation,
    pub(super) act: Dispatch,
}

/// The rules and packets, and the view.
#[derive(Clone, Debug, PartialEq, Properties)]
pub(super) struct PageProps {
    pub(super) evaluation: Evaluation,
    pub(super) view: Version<View>,
    pub(super) act: Dispatch,
}
