//! Chainwalk's core.
