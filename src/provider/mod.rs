//! How each API spells a request and an answer.
//!
//! Promises pure encoding and decoding: bytes in, types out, whatever a server sends. Leaves sending, keys and retries
//! to `engine`.

mod anthropic;
mod gemini;
mod openai;

use crate::model::{Model, Provider};
use crate::prompt::Rendered;
use crate::request::Request;
use crate::response::{Failure, Response};

/// An HTTP answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// The status.
    pub status: u16,
    /// The headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}
