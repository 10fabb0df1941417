//! The keys of a project: which environment variables hold them, and what stands there.
//!
//! Promises that all of them are known by whoever has to keep one from a text, also those of models that are not asked.

use std::collections::{BTreeMap, HashMap};

use super::secret::{Place, Secret};
use crate::model::{Model, Provider};

/// The variables that hold keys, those without one included.
#[derive(Debug, Default)]
pub(super) struct Keys {
    by_variable: BTreeMap<String, Option<Secret>>,
}

/// The environment variable that must hold a key before `model` can be asked, and does not.
///
/// A server other than the vendor's own needs a key only if evalrun.toml names its variable.
#[expect(clippy::implicit_hasher, reason = "it is the environment as std gives it")]
pub fn missing_key<'a>(model: &'a Model, environment: &HashMap<String, String>) -> Option<&'a str> {
    let variable = model.key_variable.as_deref()?;
    (needs_key(model) && key_in(environment, variable).is_none()).then_some(variable)
}

/// Whether `model` cannot be asked without a key.
pub(super) fn needs_key(model: &Model) -> bool {
    model.key_variable_given || model.is_vendors_own()
}

/// Shells and files leave white space around a key; none of it belongs to it.
fn key_in<'a>(environment: &'a HashMap<String, String>, variable: &str) -> Option<&'a str> {
    environment.get(variable).map(|key| key.trim()).filter(|key| !key.is_empty())
}

impl Keys {
    /// The keys that `environment` holds for `models`, and for each vendor by default.
    pub(super) fn new<'a>(models: impl IntoIterator<Item = &'a Model>, environment: &HashMap<String, String>) -> Self {
        let named = models.into_iter().filter_map(|model| model.key_variable.as_deref());
        let by_default =
            Provider::ALL.into_iter().filter_map(|provider| -> Option<&'a str> { provider.default_key_variable() });
        let variables = named.chain(by_default);
        let key = |variable: &str| (variable.to_owned(), key_in(environment, variable).map(Secret::new));
        Self { by_variable: variables.map(key).collect() }
    }

    /// The key that a variable holds.
    pub(super) fn get(&self, variable: &str) -> Option<&Secret> {
        self.by_variable.get(variable)?.as_ref()
    }

    /// The variables that hold keys, or would.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.by_variable.keys().map(String::as_str)
    }

    /// The text without any of the keys.
    pub(super) fn scrub_text(&self, text: String, place: Place) -> String {
        self.by_variable.values().flatten().fold(text, |text, key| key.scrub_text(text, place))
    }
}
