//! A request as a provider spells it, and the digest under which its answer is known again.
//!
//! Promises that a request never contains a key: the transport adds it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::Provider;
use crate::prompt::base16;

/// What is sent to a server, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whose protocol it speaks.
    pub provider: Provider,
    /// The whole address; no key stands in it.
    pub url: String,
    /// Headers besides the key, in lower case.
    pub headers: Vec<(String, String)>,
    /// The body: JSON for servers, the prompt itself for programs.
    pub body: String,
}

/// The digest of a request: the same key, the same question.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestKey(String);

impl Request {
    /// The digest of provider, address, exact body and repeat index (SHA-256, hexadecimal).
    ///
    /// With the repeat index in it, each repeat is asked for anew: otherwise every repeat would be the first answer.
    pub fn key(&self, repeat: u32) -> RequestKey {
        let mut digest = Sha256::new();
        for part in [self.provider.name(), &self.url, &self.body, &repeat.to_string()] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
        RequestKey(base16(&digest.finalize()))
    }
}

impl RequestKey {
    /// The digest in hexadecimal.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_depends_on_provider_address_body_and_repeat_alone() {
        let request =
            Request { provider: Provider::OpenAi, url: "http://a".into(), headers: vec![], body: "{}".into() };
        let key = request.key(0);
        assert_eq!(key, Request { headers: vec![("x".into(), "y".into())], ..request.clone() }.key(0));
        assert_ne!(key, request.key(1));
        assert_ne!(key, Request { body: "{ }".into(), ..request.clone() }.key(0));
        assert_ne!(key, Request { url: "http://a{}".into(), body: String::new(), ..request.clone() }.key(0));
        assert_ne!(key, Request { provider: Provider::Gemini, ..request }.key(0));
    }
}
