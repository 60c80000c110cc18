//! The work of a user on the page, without a browser: rules and packets, their results, the view, and
//! the lessons. `chainwalk-web` shows it.
//!
//! # Layout
//! - `state`: the workspace, the view and the results; each action, and what it changes
//! - `paste`, `packet_slot`, `saved_packets`, `side`, `editing`, `history`: the parts of a workspace
//! - `walked`, `packet_analysis`, `analysis_queue`: the results, computed at once or by the idle queue
//! - `rows`, `pairs`, `cursor`: the rule list, the list of steps and the moves between steps, as data
//! - `share`: the work as a link, a file, a ticket, a trace or a script
//! - `lesson`, `lesson_progress`: the lessons, and what was done in them
//! - `keys`, `sample`: the actions of keys, and the sample rules

pub mod analysis_queue;
pub mod cursor;
pub mod editing;
pub mod history;
pub mod keys;
pub mod lesson;
pub mod lesson_progress;
pub mod packet_analysis;
pub mod packet_slot;
pub mod pairs;
pub mod paste;
pub mod rows;
pub mod sample;
pub mod saved_packets;
pub mod share;
pub mod side;
pub mod state;
pub mod walked;
