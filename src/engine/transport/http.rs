//! A server that answers over HTTP.
//!
//! Promises that certificates are verified, that redirects are not followed (they would take the key along), that
//! what a server sends is bounded, and that a key goes into its own header and nowhere else, whatever a server echoes.

use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder};
use rustls::CertificateError;
use tokio::time::Instant;

use super::Reply;
use super::keys::{Keys, needs_key};
use super::secret::{Place, Secret};
use crate::model::{Model, Provider};
use crate::provider::{self, HttpReply, Stream};
use crate::request::Request;
use crate::response::{Failure, FailureKind, Response};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server may be silent in the middle of its answer. Long, since some send the head of an answer at once
/// and think then.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// How long to wait for the end of a stream that has said its last word: a connection that ends well can be used again.
const LINGER: Duration = Duration::from_millis(500);

/// The most bytes of an answer.
const MAX_BODY: usize = 64 << 20;

/// The way to every server.
#[derive(Debug)]
pub(super) struct Http {
    keys: Arc<Keys>,
    client: OnceLock<Result<Client, String>>,
    max_body: usize,
}

impl Http {
    /// A way to every server, with these keys.
    pub(super) fn new(keys: Arc<Keys>) -> Self {
        Self { keys, client: OnceLock::new(), max_body: MAX_BODY }
    }

    /// Sends one request and decodes what comes back.
    ///
    /// # Errors
    /// What the server answered instead, or what went wrong on the way.
    pub(super) async fn send(&self, model: &Model, request: &Request) -> Result<Reply, Failure> {
        let key = self.key(model)?;
        let result = self.exchange(model, request, key).await;
        let Some(key) = key else { return result };
        match result {
            Ok(reply) => Ok(Reply { response: scrub_response(reply.response, key), ..reply }),
            Err(failure) => Err(scrub_failure(failure, key)),
        }
    }

    fn key(&self, model: &Model) -> Result<Option<&Secret>, Failure> {
        let Some(variable) = &model.key_variable else { return Ok(None) };
        let key = self.keys.get(variable);
        if key.is_none() && needs_key(model) {
            let message = format!("the environment variable {variable} is not set");
            return Err(Failure::new(FailureKind::Authentication, message));
        }
        Ok(key)
    }

    async fn exchange(&self, model: &Model, request: &Request, key: Option<&Secret>) -> Result<Reply, Failure> {
        let client = self.client()?;
        let headers = headers(model, request, key)?;
        let url = request.url.as_str();
        let sent = client.post(url).headers(headers).timeout(model.timeout).body(request.body.clone());
        let mut watch = model.stream.then(|| Watch::begin(request.provider));
        let reply = match sent.send().await {
            Ok(response) => self.read(response, watch.as_mut(), model, url).await?,
            Err(error) => return Err(failure_of(&error, model, url)),
        };
        let reply = if let Some(key) = key { scrub_reply(reply, key) } else { reply };
        if (300..400).contains(&reply.status) {
            return Err(redirected(&reply));
        }
        let decode = if model.stream { provider::decode_stream } else { provider::decode };
        let response = decode(request.provider, &reply)?;
        let first_text = watch.and_then(|watch| watch.first_text);
        let used_up = provider::used_up(&reply);
        Ok(Reply { response, status: Some(reply.status), latency: None, first_text, used_up })
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        mut watch: Option<&mut Watch>,
        model: &Model,
        url: &str,
    ) -> Result<HttpReply, Failure> {
        let status = response.status().as_u16();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let mut body = Vec::new();
        loop {
            let is_done = watch.as_ref().is_some_and(|watch| watch.stream.is_done());
            let silence = if is_done { LINGER } else { IDLE_TIMEOUT };
            let chunk = tokio::time::timeout(silence, response.chunk()).await;
            // Whatever goes wrong after the last word, the answer is whole.
            if is_done && !matches!(chunk, Ok(Ok(Some(_)))) {
                return Ok(HttpReply { status, headers, body });
            }
            let chunk = chunk.map_err(|_| silent(url))?.map_err(|error| failure_of(&error, model, url))?;
            let Some(chunk) = chunk else { return Ok(HttpReply { status, headers, body }) };
            if body.len() + chunk.len() > self.max_body {
                let message = format!("{} sent an answer of more than {} bytes", host(url), self.max_body);
                return Err(Failure { status: Some(status), ..Failure::new(FailureKind::TooLarge, message) });
            }
            body.extend_from_slice(&chunk);
            if let Some(watch) = &mut watch {
                watch.see(&chunk);
            }
        }
    }

    /// The client, made when it is first needed: reading the system's certificates takes longer than all else that a
    /// run without servers does.
    fn client(&self) -> Result<&Client, Failure> {
        let client = self.client.get_or_init(build_client);
        client.as_ref().map_err(|message| Failure::new(FailureKind::Configuration, message.as_str()))
    }
}

/// A stream, watched for its first text and its last word while it arrives.
#[derive(Debug)]
struct Watch {
    stream: Stream,
    began: Instant,
    first_text: Option<Duration>,
}

impl Watch {
    fn begin(provider: Provider) -> Self {
        Self { stream: Stream::new(provider), began: Instant::now(), first_text: None }
    }

    fn see(&mut self, bytes: &[u8]) {
        self.stream.feed(bytes);
        if self.first_text.is_none() && self.stream.has_text() {
            self.first_text = Some(self.began.elapsed());
        }
    }
}

fn build_client() -> Result<Client, String> {
    // It fails only if another part of the process has installed one before, which then serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Without any certificates of the system, servers without TLS can still be asked, and those with it are refused.
    let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
    client.map_err(|error| format!("no HTTP client could be made: {}", root_cause(&error)))
}

fn builder() -> ClientBuilder {
    // reqwest itself takes `*` for names of hosts alone, and not for numbers.
    let is_star = |variable| std::env::var(variable).is_ok_and(|hosts| hosts.split(',').any(|host| host.trim() == "*"));
    let builder = Client::builder();
    let builder = if is_star("NO_PROXY") || is_star("no_proxy") { builder.no_proxy() } else { builder };
    builder
        .user_agent(concat!("evalrun/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_keepalive(Duration::from_secs(30))
}

fn headers(model: &Model, request: &Request, key: Option<&Secret>) -> Result<HeaderMap, Failure> {
    let bad = |name: &str| Failure::new(FailureKind::Configuration, format!("the header `{name}` cannot be sent"));
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let parsed = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()));
        let (Ok(parsed), Ok(value)) = parsed else { return Err(bad(name)) };
        headers.insert(parsed, value);
    }
    if let Some(key) = key {
        let (name, value) = provider::key_header(request.provider, key.expose());
        let value = HeaderValue::from_str(&value);
        let (Ok(name), Ok(mut value)) = (HeaderName::from_bytes(name.as_bytes()), value) else {
            let variable = model.key_variable.as_deref().unwrap_or_default();
            let message = format!("the environment variable {variable} holds characters that no key has");
            return Err(Failure::new(FailureKind::Authentication, message));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

fn redirected(reply: &HttpReply) -> Failure {
    let location = reply.headers.iter().find(|(name, _)| name == "location");
    // What follows the path may be a secret of the server's.
    let location = location.and_then(|(_, value)| value.split(['?', '#']).next()).unwrap_or("elsewhere");
    let message = format!("the server redirects to {location}, which is not followed: set `base_url`");
    Failure { status: Some(reply.status), ..Failure::new(FailureKind::Configuration, message) }
}

fn silent(url: &str) -> Failure {
    let message = format!("{} sent nothing for {IDLE_TIMEOUT:?} in the middle of its answer", host(url));
    Failure::new(FailureKind::Timeout, message)
}

/// What an error on the way means; names the server's host, never the rest of the address.
fn failure_of(error: &reqwest::Error, model: &Model, url: &str) -> Failure {
    let host = host(url);
    if error.is_timeout() {
        let message = if error.is_connect() {
            format!("no connection to {host} within {CONNECT_TIMEOUT:?}")
        } else {
            format!("no answer from {host} within {:?}", model.timeout)
        };
        return Failure::new(FailureKind::Timeout, message);
    }
    let message = format!("{host}: {}", root_cause(error));
    if let Some(refused) = causes(error).find_map(refused_certificate) {
        let hint = hint_about(refused).map(|hint| format!(": {hint}")).unwrap_or_default();
        return Failure::new(FailureKind::Configuration, message + &hint);
    }
    // Of a way through a proxy there is no status, but these words.
    if message.ends_with("proxy authorization required") {
        let message = message + ": are the credentials of the proxy in HTTPS_PROXY right?";
        return Failure::new(FailureKind::Authentication, message);
    }
    let kind = if error.is_builder() { FailureKind::Configuration } else { FailureKind::Connection };
    Failure::new(kind, message)
}

fn host(url: &str) -> &str {
    url.split("//").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or("the server")
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The innermost cause: the outer ones say only that sending or reading failed, and where, with the address.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Why a certificate was refused, if that is what happened: it will not be better on the next attempt.
fn refused_certificate<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CertificateError> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return match error {
            rustls::Error::InvalidCertificate(why) => Some(why),
            _ => None,
        };
    }
    // An I/O error wraps others without naming them as its source.
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.and_then(|inner| refused_certificate(inner))
}

/// What the user can do about a certificate that was refused.
fn hint_about(refused: &CertificateError) -> Option<&'static str> {
    match refused {
        CertificateError::UnknownIssuer if cfg!(any(target_os = "macos", windows)) => {
            Some("if you trust its issuer, add it to the system's certificates")
        }
        CertificateError::UnknownIssuer => {
            Some("if you trust its issuer, let SSL_CERT_FILE name a file with the certificates that are trusted")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Some("it is the certificate of another host: is `base_url` right?")
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Some("is this machine's clock right?"),
        _ => None,
    }
}

/// Long messages are cut when they are decoded: what is left of a key then would no longer be known as one.
fn scrub_reply(reply: HttpReply, key: &Secret) -> HttpReply {
    let place = if reply.is_success() { Place::Answer } else { Place::Message };
    let headers = reply.headers.into_iter().map(|(name, value)| (name, key.scrub_text(value, Place::Message)));
    let body = match key.scrub(&reply.body, place) {
        Cow::Borrowed(_) => None,
        Cow::Owned(scrubbed) => Some(scrubbed),
    };
    HttpReply { status: reply.status, headers: headers.collect(), body: body.unwrap_or(reply.body) }
}

fn scrub_response(response: Response, key: &Secret) -> Response {
    let scrub = |text: Option<String>| text.map(|text| key.scrub_text(text, Place::Answer));
    let mut response = response;
    response.text = scrub(response.text);
    response.finish.detail = scrub(response.finish.detail);
    response.served_model = scrub(response.served_model);
    response.id = scrub(response.id);
    response
}

fn scrub_failure(failure: Failure, key: &Secret) -> Failure {
    let scrub = |text: String| key.scrub_text(text, Place::Message);
    Failure { message: scrub(failure.message), code: failure.code.map(scrub), ..failure }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use wiremock::matchers::{header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::super::keys::missing_key;
    use super::*;
    use crate::engine::testing::model;
    use crate::model::Provider;
    use crate::prompt::Rendered;

    const KEY: &str = "sk-marker-0123456789";

    fn good(text: &str) -> ResponseTemplate {
        ResponseTemplate::new(200).set_body_json(serde_json::json!({
            "id": "r1", "object": "chat.completion", "created": 1, "model": "served",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
        }))
    }

    fn error(status: u16, message: &str) -> ResponseTemplate {
        let error = serde_json::json!({"error": {"message": message, "type": "t", "param": null, "code": "c"}});
        ResponseTemplate::new(status).set_body_json(error)
    }

    fn served_at(base_url: &str) -> Model {
        let key_variable = Some("MARKER_KEY".to_owned());
        Model { base_url: base_url.to_owned(), key_variable, ..model("m", Provider::OpenAi) }
    }

    fn http(model: &Model) -> Http {
        with_keys(model, &HashMap::from([("MARKER_KEY".to_owned(), format!("{KEY}\n"))]))
    }

    fn with_keys(model: &Model, environment: &HashMap<String, String>) -> Http {
        Http::new(Arc::new(Keys::new([model], environment)))
    }

    async fn send(http: &Http, model: &Model) -> Result<Reply, Failure> {
        let prompt = Rendered { system: None, user: "量子".into() };
        http.send(model, &provider::encode(model, &prompt)).await
    }

    async fn ask(response: ResponseTemplate) -> Result<Reply, Failure> {
        let server = MockServer::start().await;
        Mock::given(method("POST")).respond_with(response).mount(&server).await;
        let model = served_at(&server.uri());
        send(&http(&model), &model).await
    }

    /// A server that answers each connection with `bytes` and closes it.
    fn raw_server(bytes: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(bytes);
            }
        });
        url
    }

    #[tokio::test]
    async fn an_answer_comes_with_its_status_and_the_key_goes_in_its_header() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/chat/completions"))
            .and(header("authorization", format!("Bearer {KEY}")))
            .and(header("user-agent", concat!("evalrun/", env!("CARGO_PKG_VERSION"))))
            .and(header("accept-encoding", "gzip"))
            .and(header("x-team", "press"))
            .respond_with(good("はい"))
            .expect(1)
            .mount(&server)
            .await;
        let mut model = served_at(&server.uri());
        model.headers.insert("X-Team".into(), "press".into());
        let reply = send(&http(&model), &model).await.unwrap();
        assert_eq!((reply.response.text.as_deref(), reply.status), (Some("はい"), Some(200)));
        assert_eq!(reply.response.usage.output_tokens, Some(5));
    }

    const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n200\r\n\
        data: {\"choices\":[{\"delta\":{\"content\":\"your key is sk-mark\"}}]}\n\n\
        data: {\"choices\":[{\"delta\":{\"content\":\"er-0123456789.\"},\"finish_reason\":\"stop\"}]}\n\n";

    #[tokio::test]
    async fn a_stream_is_over_with_its_last_word_whatever_follows() {
        let bytes = format!("{STREAM}data: [DONE]\n\n").leak().as_bytes();
        let model = Model { stream: true, ..served_at(&raw_server(bytes)) };
        let reply = send(&http(&model), &model).await.unwrap();
        // A key that comes in two pieces is no less one.
        assert_eq!(reply.response.text.as_deref(), Some("your key is [key]."));
        assert!(reply.first_text.is_some());
        let model = Model { stream: true, ..served_at(&raw_server(STREAM.as_bytes())) };
        let failure = send(&http(&model), &model).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Connection, "{failure}");
    }

    #[tokio::test]
    async fn a_key_that_a_server_echoes_appears_in_no_message_and_no_answer() {
        let failure = ask(error(401, &format!("Incorrect API key provided: {KEY}"))).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Authentication);
        assert!(failure.message.contains("[key]") && !format!("{failure:?}").contains(KEY), "{failure:?}");
        let reply = ask(good(&format!("your key is {KEY}."))).await.unwrap();
        assert_eq!(reply.response.text.as_deref(), Some("your key is [key]."));
    }

    #[tokio::test]
    async fn not_even_a_part_of_a_key_is_left_where_a_message_is_cut() {
        // Messages are cut at different lengths: of these, some have the cut within the key.
        for length in (60..120).step_by(10).chain((480..500).step_by(5)) {
            for status in [200, 400] {
                let said = format!("{} {KEY} {}", "x".repeat(length), "y".repeat(100));
                let failure = ask(ResponseTemplate::new(status).set_body_string(said)).await.unwrap_err();
                assert!(!failure.message.contains(&KEY[..6]), "{status}: {failure}");
            }
        }
    }

    #[tokio::test]
    async fn not_even_a_part_of_an_escaped_key_is_left_where_a_message_is_cut() {
        for form in [r"sk\u002dmarker\u002d0123456789", "sk&#45;marker&#x2d;0123456789", "sk%2Dmarker%2d0123456789"] {
            for length in (440..500).step_by(5) {
                let said = format!(r#"{{"error": {{"message": "{} {form} y"}}}}"#, "x".repeat(length));
                let failure = ask(ResponseTemplate::new(400).set_body_string(said)).await.unwrap_err();
                assert!(!failure.message.contains("marker") && !failure.message.contains("sk"), "{failure}");
            }
        }
    }

    #[test]
    fn the_keys_are_not_shown_by_debugging() {
        let model = served_at("http://m.test");
        assert!(!format!("{:?}", http(&model)).contains(KEY));
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let server = MockServer::start().await;
        let elsewhere = format!("{}/stolen?token=1", server.uri());
        let redirect = ResponseTemplate::new(307).insert_header("location", elsewhere.as_str());
        Mock::given(path("/chat/completions")).respond_with(redirect).mount(&server).await;
        Mock::given(path("/stolen")).respond_with(good("はい")).expect(0).mount(&server).await;
        let model = served_at(&server.uri());
        let failure = send(&http(&model), &model).await.unwrap_err();
        let expected = format!("redirects to {}/stolen, which is not followed", server.uri());
        assert!(failure.kind == FailureKind::Configuration && failure.message.contains(&expected), "{failure}");
    }

    #[tokio::test]
    async fn a_key_is_needed_by_the_vendors_server_and_where_its_variable_is_named() {
        let nowhere = "http://127.0.0.1:9";
        for (base_url, named, environment, missing) in [
            ("https://api.openai.com/v1", false, &[][..], true),
            ("https://api.openai.com/v1", false, &[("MARKER_KEY", " \n")], true),
            ("https://api.openai.com/v1", false, &[("MARKER_KEY", KEY)], false),
            (nowhere, true, &[], true),
            (nowhere, false, &[], false),
        ] {
            let model = Model { key_variable_given: named, ..served_at(base_url) };
            let environment = environment.iter().map(|(name, key)| ((*name).to_owned(), (*key).to_owned())).collect();
            assert_eq!(missing_key(&model, &environment), missing.then_some("MARKER_KEY"), "{base_url}");
            if missing {
                let failure = send(&with_keys(&model, &environment), &model).await.unwrap_err();
                assert_eq!(failure.to_string(), "authentication: the environment variable MARKER_KEY is not set");
            }
        }
    }

    #[tokio::test]
    async fn a_key_that_no_header_can_hold_is_told_without_showing_it() {
        let model = served_at("http://127.0.0.1:9");
        let http = with_keys(&model, &HashMap::from([("MARKER_KEY".to_owned(), "sk-1\nsk-2".to_owned())]));
        let failure = send(&http, &model).await.unwrap_err();
        assert_eq!(
            failure.to_string(),
            "authentication: the environment variable MARKER_KEY holds characters that no key has"
        );
    }

    #[tokio::test]
    async fn what_goes_wrong_on_the_way_is_told_by_its_cause_and_host() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\": ";
        for (base_url, kind, cause) in [
            (format!("http://{closed}"), FailureKind::Connection, "refused"),
            (raw_server(b""), FailureKind::Connection, ""),
            (raw_server(cut), FailureKind::Connection, ""),
            (raw_server(b"no HTTP at all\r\n\r\n"), FailureKind::Connection, ""),
        ] {
            let model = served_at(&base_url);
            let failure = send(&http(&model), &model).await.unwrap_err();
            assert_eq!(failure.kind, kind, "{failure}");
            let start = format!("{}: ", host(&base_url));
            assert!(failure.message.starts_with(&start) && failure.message.contains(cause), "{failure}");
            assert!(!failure.message.contains("/chat"), "{failure}");
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_given_up_after_the_models_time_out() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = silent.local_addr().unwrap();
        let model = Model { timeout: Duration::from_millis(50), ..served_at(&format!("http://{host}")) };
        let failure = send(&http(&model), &model).await.unwrap_err();
        assert_eq!(failure.to_string(), format!("timeout: no answer from {host} within 50ms"));
    }

    #[tokio::test]
    async fn an_answer_may_be_large_but_not_boundless() {
        let server = MockServer::start().await;
        Mock::given(method("POST")).respond_with(good(&"量".repeat(1_000_000))).mount(&server).await;
        let model = served_at(&server.uri());
        let reply = send(&http(&model), &model).await.unwrap();
        assert_eq!(reply.response.text.map(|text| text.len()), Some(3_000_000));
        let small = Http { max_body: 1_000, ..http(&model) };
        let failure = send(&small, &model).await.unwrap_err();
        assert!(failure.kind == FailureKind::TooLarge, "{failure}");
        assert!(failure.message.ends_with("sent an answer of more than 1000 bytes"), "{failure}");
    }

    #[tokio::test]
    async fn a_certificate_that_nobody_vouches_for_is_refused_for_good() {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
            }
        });
        let model = served_at(&format!("https://localhost:{port}"));
        let failure = send(&http(&model), &model).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Configuration, "{failure}");
        assert!(failure.message.contains("invalid peer certificate"), "{failure}");
    }
}
