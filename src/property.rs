//! What can be required of an answer: the properties, their settings, and how a case overrides its project.
//!
//! Leaves judging to `score`.

mod digest;

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::document::{Node, Reader, Table, Value};

/// A property that a case can require of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// The text a reader sees is Japanese.
    JapaneseOnly,
    /// Nothing but the article.
    ArticleOnly,
    /// Says why it is done.
    CoversPurpose,
    /// Says concretely what is done, beyond the headline.
    CoversActivities,
    /// Says why it matters.
    CoversSignificance,
    /// No specific without support is stated as fact.
    NoFabrication,
    /// The number of characters lies within bounds.
    Length,
    /// Easy to read.
    Readability,
    /// One style (です・ます or である) throughout.
    Register,
    /// No loops, no broken end.
    Repetition,
    /// The model did the work.
    Refusal,
    /// Every given text occurs.
    Contains,
    /// No given text occurs.
    NotContains,
    /// Every given pattern matches.
    Matches,
    /// No given pattern matches.
    NotMatches,
}

impl Property {
    /// All properties, in the order of every report.
    pub const ALL: [Self; 15] = [
        Self::JapaneseOnly,
        Self::ArticleOnly,
        Self::CoversPurpose,
        Self::CoversActivities,
        Self::CoversSignificance,
        Self::NoFabrication,
        Self::Length,
        Self::Readability,
        Self::Register,
        Self::Repetition,
        Self::Refusal,
        Self::Contains,
        Self::NotContains,
        Self::Matches,
        Self::NotMatches,
    ];

    /// The name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JapaneseOnly => "japanese_only",
            Self::ArticleOnly => "article_only",
            Self::CoversPurpose => "covers_purpose",
            Self::CoversActivities => "covers_activities",
            Self::CoversSignificance => "covers_significance",
            Self::NoFabrication => "no_fabrication",
            Self::Length => "length",
            Self::Readability => "readability",
            Self::Register => "register",
            Self::Repetition => "repetition",
            Self::Refusal => "refusal",
            Self::Contains => "contains",
            Self::NotContains => "not_contains",
            Self::Matches => "matches",
            Self::NotMatches => "not_matches",
        }
    }

    /// The property's place in [`Property::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is to be covered by an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Why it is done.
    Purpose,
    /// What is done.
    Activities,
    /// Why it matters.
    Significance,
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 3] = [Self::Purpose, Self::Activities, Self::Significance];

    /// The name in `covers = […]`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Purpose => "purpose",
            Self::Activities => "activities",
            Self::Significance => "significance",
        }
    }

    /// The property that asks for the topic.
    pub const fn property(self) -> Property {
        match self {
            Self::Purpose => Property::CoversPurpose,
            Self::Activities => Property::CoversActivities,
            Self::Significance => Property::CoversSignificance,
        }
    }
}

/// The kinds of specific that `no_fabrication` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecificKind {
    /// Days, months, years, clock times.
    Date,
    /// Counts, ranks, distances, durations, ages.
    Number,
    /// Amounts of money.
    Money,
    /// Percentages and shares (割).
    Percent,
    /// People.
    Person,
    /// Companies, agencies, universities, groups.
    Organization,
    /// Places below country level.
    Place,
    /// Named programmes, laws, products, events, works.
    Name,
    /// Direct speech attributed to somebody.
    Quote,
    /// URL, e-mail address, telephone number.
    Contact,
}

impl SpecificKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Date,
        Self::Number,
        Self::Money,
        Self::Percent,
        Self::Person,
        Self::Organization,
        Self::Place,
        Self::Name,
        Self::Quote,
        Self::Contact,
    ];

    /// The name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Number => "number",
            Self::Money => "money",
            Self::Percent => "percent",
            Self::Person => "person",
            Self::Organization => "organization",
            Self::Place => "place",
            Self::Name => "name",
            Self::Quote => "quote",
            Self::Contact => "contact",
        }
    }
}

/// What `no_fabrication` makes of an unsupported specific that is put as a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hedged {
    /// It is no fabrication.
    #[default]
    Pass,
    /// It counts as one.
    Fail,
}

/// The style of sentence ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Either, but only one of them.
    #[default]
    Any,
    /// です・ます.
    Polite,
    /// である・だ.
    Plain,
}

/// A text that a property lets pass although it would fail, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// The words in the answer.
    pub text: String,
    /// Why they may stand.
    pub reason: String,
    /// The last day on which the waiver holds; none: always.
    pub until: Option<Date>,
}

/// A regular expression of the user's, compared by its text.
///
/// Shared, not cloned: each clone of a [`Regex`] grows a cache of its own, for each case of a run.
#[derive(Debug, Clone)]
pub struct Pattern(pub Arc<Regex>);

impl Pattern {
    fn new(text: &str) -> Result<Self, regex::Error> {
        Regex::new(text).map(|regex| Self(Arc::new(regex)))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// A key point of a topic that a case names itself: phrases or patterns of which any or all must occur.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyPoint {
    /// Which topic it belongs to.
    pub topic: Topic,
    /// One of these is enough.
    pub any_of: Vec<Pattern>,
    /// Each of these must occur.
    pub all_of: Vec<Pattern>,
}

/// What one file says about requirements; `None` where it says nothing.
///
/// The project's layer and a case's layer make the effective one by [`Requirements::over`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Requirements {
    required: [Option<bool>; Property::ALL.len()],
    waivers: [Option<Vec<Waiver>>; Property::ALL.len()],
    /// `no_fabrication.hedged`
    pub hedged: Option<Hedged>,
    /// `no_fabrication.kinds`
    pub kinds: Option<Vec<SpecificKind>>,
    /// `length.min_chars`
    pub min_chars: Option<usize>,
    /// `length.max_chars`
    pub max_chars: Option<usize>,
    /// `readability.max_sentence_chars`
    pub max_sentence_chars: Option<usize>,
    /// `readability.min_score`
    pub min_readability: Option<f64>,
    /// `register.style`
    pub style: Option<Style>,
    /// `contains`
    pub contains: Option<Vec<String>>,
    /// `not_contains`
    pub not_contains: Option<Vec<String>>,
    /// `matches`
    pub matches: Option<Vec<Pattern>>,
    /// `not_matches`
    pub not_matches: Option<Vec<Pattern>>,
    /// `[[topic]]`
    pub key_points: Option<Vec<KeyPoint>>,
}

impl Requirements {
    /// Whether the answer must have `property`.
    pub fn requires(&self, property: Property) -> bool {
        self.required[property.index()] == Some(true)
    }

    /// The required properties, in report order.
    pub fn properties(&self) -> impl Iterator<Item = Property> + '_ {
        Property::ALL.into_iter().filter(|property| self.requires(*property))
    }

    /// What is let pass under `property`.
    pub fn waivers(&self, property: Property) -> &[Waiver] {
        self.waivers[property.index()].as_deref().unwrap_or_default()
    }

    /// These requirements laid over `base`, key by key: what they leave open is taken from there.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        let own = self.clone();
        let base = base.clone();
        let mut required = own.required;
        let mut waivers = own.waivers;
        for (mine, theirs) in required.iter_mut().zip(base.required) {
            *mine = mine.or(theirs);
        }
        for (mine, theirs) in waivers.iter_mut().zip(base.waivers) {
            *mine = mine.take().or(theirs);
        }
        Self {
            required,
            waivers,
            hedged: own.hedged.or(base.hedged),
            kinds: own.kinds.or(base.kinds),
            min_chars: own.min_chars.or(base.min_chars),
            max_chars: own.max_chars.or(base.max_chars),
            max_sentence_chars: own.max_sentence_chars.or(base.max_sentence_chars),
            min_readability: own.min_readability.or(base.min_readability),
            style: own.style.or(base.style),
            contains: own.contains.or(base.contains),
            not_contains: own.not_contains.or(base.not_contains),
            matches: own.matches.or(base.matches),
            not_matches: own.not_matches.or(base.not_matches),
            key_points: own.key_points.or(base.key_points),
        }
    }

    /// Reads a `[require]` table.
    pub fn read(reader: &Reader<'_>, node: &Node) -> Self {
        let mut this = Self::default();
        let Some(table) = reader.table(node) else { return this };
        this.read_covers(&table);
        for property in [Property::JapaneseOnly, Property::ArticleOnly, Property::Repetition, Property::Refusal] {
            this.read_switch(&table, property, |_, _| {});
        }
        for topic in Topic::ALL {
            this.read_switch(&table, topic.property(), |_, _| {});
        }
        this.read_switch(&table, Property::NoFabrication, |this, settings| {
            this.hedged = choice(settings, "hedged", &[("pass", Hedged::Pass), ("fail", Hedged::Fail)]);
            this.kinds = settings.get("kinds").and_then(|node| read_kinds(reader, node));
        });
        this.read_switch(&table, Property::Length, |this, settings| {
            this.min_chars = settings.integer("min_chars");
            this.max_chars = settings.integer("max_chars");
            if let (Some(min), Some(max)) = (this.min_chars, this.max_chars)
                && min > max
            {
                reader.problem(settings.span, format!("min_chars ({min}) is larger than max_chars ({max})"));
            }
        });
        this.read_switch(&table, Property::Readability, |this, settings| {
            this.max_sentence_chars = settings.integer("max_sentence_chars");
            this.min_readability = settings.number("min_score");
        });
        this.read_switch(&table, Property::Register, |this, settings| {
            let styles = [("any", Style::Any), ("polite", Style::Polite), ("plain", Style::Plain)];
            this.style = choice(settings, "style", &styles);
        });
        this.contains = this.read_list(&table, Property::Contains, non_empty);
        this.not_contains = this.read_list(&table, Property::NotContains, non_empty);
        this.matches = this.read_list(&table, Property::Matches, pattern);
        this.not_matches = this.read_list(&table, Property::NotMatches, pattern);
        this.key_points = table.get("topic").and_then(|node| read_key_points(reader, node));
        for key_point in this.key_points.iter().flatten() {
            this.required[key_point.topic.property().index()].get_or_insert(true);
        }
        table.finish();
        this
    }

    /// `covers = […]` is short for the three properties: the named ones are required, the others are not.
    fn read_covers(&mut self, table: &Table<'_, '_>) {
        let Some(node) = table.get("covers") else { return };
        let Some(names) = table.reader.list(node) else { return };
        let named: Vec<Topic> = names.iter().filter_map(|name| read_topic(table.reader, name)).collect();
        for topic in Topic::ALL {
            self.required[topic.property().index()] = Some(named.contains(&topic));
        }
    }

    /// A property's value: `true`, `false`, or a table of its settings, which also requires it.
    fn read_switch(
        &mut self,
        table: &Table<'_, '_>,
        property: Property,
        settings: impl FnOnce(&mut Self, &Table<'_, '_>),
    ) {
        let Some(node) = table.get(property.name()) else { return };
        let required = match &node.value {
            Value::Bool(required) => *required,
            Value::Table(entries) => {
                let inner = Table::new(table.reader, &node.span, entries);
                // Where words are not what fails, there are none to excuse: the key is unknown then.
                if has_waivers(property) {
                    self.waivers[property.index()] = inner.get("allow").map(|node| read_waivers(table.reader, node));
                }
                settings(self, &inner);
                inner.finish();
                true
            }
            _ => {
                table.reader.problem(&node.span, format!("`{property}` takes true, false or a table of its settings"));
                return;
            }
        };
        self.required[property.index()] = Some(required);
    }

    /// A property whose value is a list; an empty list asks for nothing.
    fn read_list<T>(
        &mut self,
        table: &Table<'_, '_>,
        property: Property,
        element: fn(&Reader<'_>, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let node = table.get(property.name())?;
        let items: Vec<T> =
            table.reader.list(node)?.iter().map(|node| element(table.reader, node)).collect::<Option<_>>()?;
        self.required[property.index()] = Some(!items.is_empty());
        Some(items)
    }
}

/// Whether a property fails because of words that can be excused.
const fn has_waivers(property: Property) -> bool {
    matches!(
        property,
        Property::JapaneseOnly
            | Property::ArticleOnly
            | Property::NoFabrication
            | Property::Register
            | Property::Repetition
            | Property::Refusal
    )
}

fn choice<T: Copy>(table: &Table<'_, '_>, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
    let node = table.get(key)?;
    let text = table.reader.string(node)?;
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    if found.is_none() {
        let unknown = table.reader.file.diagnose(node.span.clone(), format!("unknown value `{text}` for `{key}`"));
        table.reader.report(unknown.did_you_mean(&text, choices.iter().map(|(name, _)| *name)));
    }
    found
}

fn read_topic(reader: &Reader<'_>, node: &Node) -> Option<Topic> {
    let name = reader.string(node)?;
    let topic = Topic::ALL.into_iter().find(|topic| topic.name() == name);
    if topic.is_none() {
        let unknown = reader.file.diagnose(node.span.clone(), format!("unknown topic `{name}`"));
        reader.report(unknown.did_you_mean(&name, Topic::ALL.map(Topic::name)));
    }
    topic
}

fn read_kinds(reader: &Reader<'_>, node: &Node) -> Option<Vec<SpecificKind>> {
    let read_kind = |node: &Node| {
        let name = reader.string(node)?;
        let kind = SpecificKind::ALL.into_iter().find(|kind| kind.name() == name);
        if kind.is_none() {
            let unknown = reader.file.diagnose(node.span.clone(), format!("unknown kind of specific `{name}`"));
            reader.report(unknown.did_you_mean(&name, SpecificKind::ALL.map(SpecificKind::name)));
        }
        kind
    };
    reader.list(node)?.iter().map(read_kind).collect()
}

fn read_waivers(reader: &Reader<'_>, node: &Node) -> Vec<Waiver> {
    let read_waiver = |node| {
        let table = reader.table(node)?;
        let text = table.required_string("text");
        let reason = table.required_string("reason");
        let until = match table.get("until") {
            Some(node) => read_date(reader, node).map(Some),
            None => Some(None),
        };
        table.finish();
        Some(Waiver { text: text?, reason: reason?, until: until? })
    };
    reader.list(node).unwrap_or_default().iter().filter_map(read_waiver).collect()
}

/// A calendar date, as TOML's own or as text.
pub fn read_date(reader: &Reader<'_>, node: &Node) -> Option<Date> {
    let (Value::String(text) | Value::Datetime(text)) = &node.value else {
        reader.problem(&node.span, "expected a date such as 2027-01-31");
        return None;
    };
    let date = text.parse().ok();
    if date.is_none() {
        reader.problem(&node.span, format!("`{text}` is no date such as 2027-01-31"));
    }
    date
}

fn non_empty(reader: &Reader<'_>, node: &Node) -> Option<String> {
    let text = reader.string(node)?;
    if text.is_empty() {
        reader.problem(&node.span, "an empty text occurs everywhere");
        return None;
    }
    Some(text)
}

fn pattern(reader: &Reader<'_>, node: &Node) -> Option<Pattern> {
    let text = non_empty(reader, node)?;
    match Pattern::new(&text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            reader.problem(&node.span, format!("not a valid pattern: {reason}"));
            None
        }
    }
}

/// A phrase, or `{ pattern = "…" }`.
fn phrase_or_pattern(reader: &Reader<'_>, node: &Node) -> Option<Pattern> {
    let Value::Table(entries) = &node.value else {
        let phrase = non_empty(reader, node)?;
        return Pattern::new(&regex::escape(&phrase)).ok();
    };
    let table = Table::new(reader, &node.span, entries);
    let found = table.required("pattern").and_then(|node| pattern(reader, node));
    table.finish();
    found
}

fn read_key_points(reader: &Reader<'_>, node: &Node) -> Option<Vec<KeyPoint>> {
    let read_patterns = |node: Option<&Node>| -> Vec<Pattern> {
        let nodes = node.and_then(|node| reader.list(node)).unwrap_or_default();
        nodes.iter().filter_map(|node| phrase_or_pattern(reader, node)).collect()
    };
    let read_key_point = |node| {
        let table = reader.table(node)?;
        let topic = table.required("id").and_then(|node| read_topic(reader, node));
        let any_of = read_patterns(table.get("any_of"));
        let all_of = read_patterns(table.get("all_of"));
        if any_of.is_empty() && all_of.is_empty() {
            reader.problem(&(node.span.start..node.span.start + 1), "a topic needs `any_of` or `all_of`");
        }
        table.finish();
        Some(KeyPoint { topic: topic?, any_of, all_of })
    };
    Some(reader.list(node)?.iter().filter_map(read_key_point).collect())
}
