//! What the tests of the program share: projects in temporary folders, calls of the real program, and local servers.

pub(crate) mod call;
pub(crate) mod csv;
pub(crate) mod mock;
pub(crate) mod project;
pub(crate) mod server;
pub(crate) mod tls;
