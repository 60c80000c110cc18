//! What elements may be given as values and children, each brought to the few calls that there are.

use yew::Html;

use super::Markup;

/// What an attribute may be made of.
pub(crate) trait Value {
    /// Sets it.
    fn put(self, element: &mut Markup, name: &'static str);
}

impl Value for &'static str {
    fn put(self, element: &mut Markup, name: &'static str) {
        element.set_fixed(name, Some(self));
    }
}

impl Value for Option<&'static str> {
    fn put(self, element: &mut Markup, name: &'static str) {
        element.set_fixed(name, self);
    }
}

impl Value for String {
    fn put(self, element: &mut Markup, name: &'static str) {
        element.set_own(name, Some(self));
    }
}

impl Value for Option<String> {
    fn put(self, element: &mut Markup, name: &'static str) {
        element.set_own(name, self);
    }
}

/// What may stand in an element.
pub(crate) trait Child {
    /// Adds it.
    fn put(self, element: &mut Markup);
}

impl Child for Html {
    fn put(self, element: &mut Markup) {
        element.push(self);
    }
}

impl Child for Markup {
    fn put(self, element: &mut Markup) {
        element.push_element(Some(self));
    }
}

impl Child for Option<Markup> {
    fn put(self, element: &mut Markup) {
        element.push_element(self);
    }
}

impl Child for Option<Html> {
    fn put(self, element: &mut Markup) {
        element.push(self.unwrap_or_default());
    }
}

impl Child for &str {
    fn put(self, element: &mut Markup) {
        element.push_words(self);
    }
}

impl Child for &String {
    fn put(self, element: &mut Markup) {
        element.push_words(self);
    }
}

impl Child for String {
    fn put(self, element: &mut Markup) {
        element.push_words(&self);
    }
}

impl Child for Option<String> {
    fn put(self, element: &mut Markup) {
        match self {
            Some(text) => element.push_words(&text),
            None => element.push_element(None),
        }
    }
}

impl Child for usize {
    fn put(self, element: &mut Markup) {
        element.push_words(&self.to_string());
    }
}

impl Child for u32 {
    fn put(self, element: &mut Markup) {
        (self as usize).put(element);
    }
}
