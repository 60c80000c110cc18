//! Lists about the packet: counterfactuals, and outcomes by sender.

use chainwalk_session::sections;
use yew::prelude::*;

use super::props::EvaluationProps;
use super::section::show_section;
use crate::page_part::{self, PagePart};

/// Counterfactuals and senders of the lead's packet.
#[component]
pub(super) fn Analysis(props: &EvaluationProps) -> Html {
    page_part::enter(PagePart::Packet);
    let sections = sections::packet_sections(&props.evaluation);
    html! { <>{for sections.iter().map(|section| show_section(section, &props.act))}</> }
}
