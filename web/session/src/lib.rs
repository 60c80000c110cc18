//! The work of a user on the page, without a browser: rules and packets, their results, the view,
//! and the lessons. `chainwalk-web` shows it.
//!
//! # Layout
//! - `state`: the workspace, the view and the results; each action, and what it changes
//! - `paste`, `packet_slot`, `side`, `editing`, `history`: the parts and changes of a workspace
//! - `walked`, `saved_packets`, `packet_analysis`, `analysis_queue`: the results, computed at once
//!   or by the idle queue
//! - `rows`, `pairs`, `cursor`: the rule list, the list of steps and the moves between steps
//! - `list_window`, `rule_row`, `map_layout`, `packet_controls`, `outcome_table`, `sections`,
//!   `text_marks`: the content of other parts of the page
//! - `phrases`, `sentences`: the texts of the page that depend on rules and walks
//! - `share`: the work as a link, a file, a ticket, a trace or a script
//! - `lesson`, `lesson_progress`, `exercise`: the lessons, their exercises, and the progress
//! - `keys`, `sample`: the actions of keys, and the sample rules

pub mod analysis_queue;
pub mod cursor;
pub mod editing;
pub mod exercise;
pub mod history;
pub mod keys;
pub mod lesson;
pub mod lesson_progress;
pub mod list_window;
pub mod map_layout;
pub mod outcome_table;
pub mod packet_analysis;
pub mod packet_controls;
pub mod packet_slot;
pub mod pairs;
pub mod paste;
pub mod phrases;
pub mod rows;
pub mod rule_row;
pub mod sample;
pub mod saved_packets;
pub mod sections;
pub mod sentences;
pub mod share;
pub mod side;
pub mod state;
pub mod text_marks;
pub mod walked;
