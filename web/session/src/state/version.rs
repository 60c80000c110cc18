//! One version of a part of the state.

use std::ops::Deref;
use std::rc::Rc;

/// A shared value that is equal only to itself. Components compare it without reading it, and each
/// change makes a new version.
#[derive(Debug, Default)]
pub struct Version<T>(Rc<T>);

impl<T> Version<T> {
    /// The first version.
    pub fn new(value: T) -> Self {
        Self(Rc::new(value))
    }
}

impl<T: Clone> Version<T> {
    /// A new version, to be changed.
    pub(crate) fn edit(&mut self) -> &mut T {
        Rc::make_mut(&mut self.0)
    }
}

impl<T> Clone for Version<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Deref for Version<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> PartialEq for Version<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}
