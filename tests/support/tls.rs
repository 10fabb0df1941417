//! A local server with TLS, whose certificate an authority of its own vouches for, and a proxy to reach it through.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

/// What the server answers to every question.
const ANSWER: &str = r#"{"id": "o1", "object": "chat.completion", "created": 1, "model": "served", "choices": [{"index": 0,
    "message": {"role": "assistant", "content": "量子の記事です。"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 7}}"#;

/// A server that is called `localhost` and speaks HTTP/2 and HTTP/1.1; it ends when it is dropped.
pub(crate) struct TlsServer {
    _runtime: Runtime,
    pub(crate) port: u16,
    /// The certificate of its authority.
    pub(crate) authority: String,
    versions: Arc<Mutex<Vec<Version>>>,
}

impl TlsServer {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let (authority, config) = certified();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let versions: Arc<Mutex<Vec<Version>>> = Arc::default();
        let (acceptor, seen) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&versions));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(acceptor.clone(), stream, Arc::clone(&seen)));
            }
        });
        Self { _runtime: runtime, port, authority, versions }
    }

    /// The versions of HTTP in which it was asked.
    pub(crate) fn versions(&self) -> Vec<Version> {
        self.versions.lock().unwrap().clone()
    }
}

/// An authority's certificate, and the set-up of a server for which it vouches.
fn certified() -> (String, ServerConfig) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = as_pem(params.self_signed(&key).unwrap().der());
    let own_key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let own = own.signed_by(&own_key, &Issuer::new(params, key)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], PrivateKeyDer::try_from(own_key.serialize_der()).unwrap())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (authority, config)
}

/// A certificate as the files have it that programs are given.
fn as_pem(certificate: &[u8]) -> String {
    let lines: Vec<String> = certificate.chunks(48).map(|line| BASE64_STANDARD.encode(line)).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// One connection from its beginning to its end; a client that does not trust it goes away.
async fn converse(acceptor: TlsAcceptor, stream: tokio::net::TcpStream, versions: Arc<Mutex<Vec<Version>>>) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let speaks_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request: Request<Incoming>| {
        versions.lock().unwrap().push(request.version());
        async { Ok::<_, io::Error>(Response::new(Full::new(Bytes::from(ANSWER)))) }
    });
    // How it ends is the client's business.
    if speaks_http2 {
        let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
    } else {
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }
}

/// A proxy that passes everything on, or refuses everything, and remembers what it was asked.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts one; it lives as long as the test.
    pub(crate) fn start(refuses: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                // Who goes away in the middle is no mistake of the proxy's.
                thread::spawn(move || drop(pass_on(stream, refuses, &seen)));
            }
        });
        Self { port, heads }
    }

    /// The first lines of what it was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.heads.lock().unwrap().iter().filter_map(|head| head.lines().next()).map(str::to_owned).collect()
    }

    /// Whether every request of it came with these credentials.
    pub(crate) fn knew(&self, basic: &str) -> bool {
        let expected = format!("proxy-authorization: basic {}", basic.to_ascii_lowercase());
        self.heads.lock().unwrap().iter().all(|head| head.to_ascii_lowercase().contains(&expected))
    }
}

fn pass_on(client: TcpStream, refuses: bool, heads: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    heads.lock().unwrap().push(head.clone());
    let mut client = client;
    if refuses {
        return client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
    }
    let target = head.split(' ').nth(1).unwrap_or_default();
    let port = target.trim_end_matches('/').split(['/', ':']).find_map(|part| part.parse::<u16>().ok()).unwrap_or(0);
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    if head.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    } else {
        server.write_all(head.as_bytes())?;
    }
    let mut back = server.try_clone()?;
    thread::spawn(move || drop(copy(&mut back, &mut client)));
    copy(&mut reader, &mut server)?;
    server.shutdown(Shutdown::Write)
}

/// Copies what comes as it comes.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        match from.read(&mut bytes)? {
            0 => return Ok(()),
            read => to.write_all(&bytes[..read])?,
        }
    }
}
