//! Elements as plain calls: a name, then what it has, one after the other. Each call is a few
//! bytes; `html!` stores every field of every element where it stands, which makes several times as
//! much code.

mod given;

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Event, KeyboardEvent};
use yew::html::IntoEventCallback;
use yew::virtual_dom::{
    AttributeOrProperty, Attributes, Key, Listener, ListenerKind, VList, VTag, VText,
};
use yew::{AttrValue, Callback, Html, NodeRef};

use given::{Child, Value};

/// An element, or several things side by side, to which more can be added.
pub(crate) struct Markup(Box<Parts>);

struct Parts {
    /// None: the children alone.
    tag: Option<VTag>,
    names: &'static Names,
    /// As many as there are names.
    values: Vec<Option<AttributeOrProperty>>,
    listeners: Vec<Option<Rc<dyn Listener>>>,
    children: Children,
}

enum Children {
    None,
    One(Html),
    /// Also where there may be one, but how many there are changes.
    Many(Vec<Html>),
}

/// An element of this name.
pub(crate) fn tag(name: &'static str) -> Markup {
    Markup::of(Some(VTag::new(name)))
}

/// A button.
pub(crate) fn button() -> Markup {
    tag("button").attr("type", "button")
}

/// What is added to it stands side by side, without an element around.
pub(crate) fn group() -> Markup {
    Markup::of(None)
}

/// Nothing.
pub(crate) fn nothing() -> Markup {
    group()
}

impl Markup {
    fn of(tag: Option<VTag>) -> Self {
        let names = NO_NAMES.with(|names| *names);
        Self(Box::new(Parts {
            tag,
            names,
            values: Vec::new(),
            listeners: Vec::new(),
            children: Children::None,
        }))
    }

    /// An attribute, or none where there is no value.
    pub(crate) fn attr(mut self, name: &'static str, value: impl Value) -> Self {
        value.put(&mut self, name);
        self
    }

    /// An attribute that says "true" or "false".
    pub(crate) fn is(self, name: &'static str, value: bool) -> Self {
        self.attr(name, if value { "true" } else { "false" })
    }

    /// An attribute that is there or not.
    pub(crate) fn flag(self, name: &'static str, value: bool) -> Self {
        self.attr(name, value.then_some(name))
    }

    /// The id.
    pub(crate) fn id(self, value: impl Value) -> Self {
        self.attr("id", value)
    }

    /// A class, or another one.
    pub(crate) fn class(self, class: impl Value) -> Self {
        self.attr("class", class)
    }

    /// What tells it from its siblings when they change.
    pub(crate) fn key(mut self, key: impl Into<Key>) -> Self {
        self.set_key(key.into());
        self
    }

    /// The way to the element in the document.
    pub(crate) fn node(mut self, node: &NodeRef) -> Self {
        self.set_node(node);
        self
    }

    /// What stands in a field.
    pub(crate) fn value(mut self, value: impl Into<AttrValue>) -> Self {
        self.set_value(value.into());
        self
    }

    /// Whether a box is ticked.
    pub(crate) fn checked(mut self, checked: bool) -> Self {
        self.set_checked(checked);
        self
    }

    /// What to do at an event.
    pub(crate) fn on(mut self, event: &'static str, act: impl IntoEventCallback<Event>) -> Self {
        self.listen(event, act.into_event_callback());
        self
    }

    /// A text.
    pub(crate) fn text(mut self, text: &'static str) -> Self {
        self.push_text(text);
        self
    }

    /// A child.
    pub(crate) fn child(mut self, child: impl Child) -> Self {
        child.put(&mut self);
        self
    }

    /// Children, as many as there are.
    pub(crate) fn children(mut self, children: impl IntoIterator<Item = impl Child>) -> Self {
        self.make_list();
        for child in children {
            child.put(&mut self);
        }
        self
    }

    /// The finished element.
    pub(crate) fn html(self) -> Html {
        self.into()
    }

    fn set_fixed(&mut self, name: &'static str, value: Option<&'static str>) {
        self.set(name, value.map(AttrValue::Static));
    }

    fn set_own(&mut self, name: &'static str, value: Option<String>) {
        self.set(name, value.map(AttrValue::from));
    }

    fn set(&mut self, name: &'static str, value: Option<AttrValue>) {
        let Parts { names, values, .. } = &mut *self.0;
        if name != "class" {
            *names = names.and(name);
            values.push(value.map(AttributeOrProperty::Attribute));
            return;
        }
        let at = names
            .list
            .iter()
            .position(|other| *other == name)
            .unwrap_or_else(|| {
                *names = names.and(name);
                values.push(None);
                values.len() - 1
            });
        let Some(class) = value.filter(|class| !class.is_empty()) else {
            return;
        };
        values[at] = Some(AttributeOrProperty::Attribute(match &values[at] {
            Some(AttributeOrProperty::Attribute(before)) => format!("{before} {class}").into(),
            _ => class,
        }));
    }

    fn set_key(&mut self, key: Key) {
        if let Some(tag) = &mut self.0.tag {
            tag.key = Some(key);
        }
    }

    fn set_node(&mut self, node: &NodeRef) {
        if let Some(tag) = &mut self.0.tag {
            tag.node_ref = node.clone();
        }
    }

    fn set_value(&mut self, value: AttrValue) {
        if let Some(tag) = &mut self.0.tag {
            tag.set_value(value);
        }
    }

    fn set_checked(&mut self, checked: bool) {
        if let Some(tag) = &mut self.0.tag {
            tag.set_checked(checked);
        }
    }

    fn listen(&mut self, event: &'static str, act: Option<Callback<Event>>) {
        let kind = match event {
            "blur" => ListenerKind::onblur,
            "change" => ListenerKind::onchange,
            "click" => ListenerKind::onclick,
            "close" => ListenerKind::onclose,
            "focus" => ListenerKind::onfocus,
            "input" => ListenerKind::oninput,
            "keydown" => ListenerKind::onkeydown,
            "scroll" => ListenerKind::onscroll,
            other => ListenerKind::other(other.into()),
        };
        self.0
            .listeners
            .push(act.map(|act| Rc::new(Heard { kind, act }) as Rc<dyn Listener>));
    }

    fn make_list(&mut self) -> &mut Vec<Html> {
        let children = &mut self.0.children;
        *children = match std::mem::replace(children, Children::None) {
            Children::None => Children::Many(Vec::new()),
            Children::One(child) => Children::Many(vec![child]),
            many => many,
        };
        match children {
            Children::Many(list) => list,
            _ => unreachable!("it was just made"),
        }
    }

    fn push(&mut self, child: Html) {
        match &mut self.0.children {
            Children::None => self.0.children = Children::One(child),
            _ => self.make_list().push(child),
        }
    }

    fn push_element(&mut self, child: Option<Markup>) {
        self.push(child.map_or_else(Html::default, Html::from));
    }

    fn push_text(&mut self, text: &'static str) {
        self.push(VText::new(text).into());
    }

    fn push_words(&mut self, text: &str) {
        self.push(VText::new(Rc::<str>::from(text)).into());
    }
}

impl From<Markup> for Html {
    fn from(element: Markup) -> Self {
        let Parts {
            tag,
            names,
            values,
            listeners,
            children,
        } = *element.0;
        let inside = match children {
            Children::None => Html::default(),
            Children::One(child) => child,
            Children::Many(list) => VList::with_children(list, None).into(),
        };
        let Some(mut tag) = tag else { return inside };
        if !values.is_empty() {
            tag.set_attributes(Attributes::Dynamic {
                keys: &names.list,
                values: values.into(),
            });
        }
        if !listeners.is_empty() {
            tag.set_listeners(listeners.into());
        }
        if let Some(children) = tag.children_mut() {
            *children = inside;
        }
        tag.into()
    }
}

/// The names of an element's attributes, kept for good: by the list itself Yew sees that an element
/// still has those it had. There are as many as the page has kinds of elements.
struct Names {
    list: Vec<&'static str>,
    /// The lists that have one name more.
    longer: RefCell<Vec<&'static Names>>,
}

thread_local! {
    static NO_NAMES: &'static Names = Box::leak(Box::new(Names { list: Vec::new(), longer: RefCell::default() }));
}

impl Names {
    /// These and another one.
    fn and(&self, name: &'static str) -> &'static Self {
        let mut longer = self.longer.borrow_mut();
        if let Some(known) = longer.iter().find(|known| known.list.last() == Some(&name)) {
            return known;
        }
        let mut list = self.list.clone();
        list.push(name);
        let new: &Self = Box::leak(Box::new(Self {
            list,
            longer: RefCell::default(),
        }));
        longer.push(new);
        new
    }
}

/// The key that an event is about.
pub(crate) fn key(event: &Event) -> String {
    event
        .dyn_ref::<KeyboardEvent>()
        .map(KeyboardEvent::key)
        .unwrap_or_default()
}

/// One kind of listener for all events.
struct Heard {
    kind: ListenerKind,
    act: Callback<Event>,
}

impl Listener for Heard {
    fn kind(&self) -> ListenerKind {
        self.kind.clone()
    }

    fn handle(&self, event: Event) {
        self.act.emit(event);
    }

    fn passive(&self) -> bool {
        self.kind == ListenerKind::onscroll
    }
}
