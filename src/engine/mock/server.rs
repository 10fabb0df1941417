//! The server: connections in, answers out, until it is told to stop.
//!
//! Promises to finish what is under way when it is told to, and to drop it when it is told again or that takes too long.
//! On hyper itself, without a framework: resets and cut bodies need the connection, and ten paths need no router.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::answers::{Answers, limited};
use super::body::Body;
use super::error::Trouble;
use super::fault::{Fault, Faults, Rule};
use super::question::Question;
use super::rate::{Bucket, Limit};
use super::record::{Counts, Recorder, Ticket};
use super::reply::{self, Said};
use super::route::{Form, Protocol, Route};
use super::{anthropic, draw, gemini, openai};
use crate::engine::Cancel;

/// The longest body that is read.
const MAX_BODY: usize = 64 << 20;

/// How long what is under way may take when the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long to wait when the system has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(50);

/// What a server does.
#[derive(Debug, Default)]
pub struct Settings {
    /// How long each answer takes to begin.
    pub latency: Duration,
    /// The most that is added to it.
    pub jitter: Duration,
    /// The time between the pieces of a stream.
    pub pace: Duration,
    /// What goes wrong.
    pub rules: Vec<Rule>,
    /// How many requests are let through.
    pub limit: Option<Limit>,
    /// What faults and jitter are drawn by.
    pub seed: u64,
    /// Where each request is written.
    pub log: Option<std::fs::File>,
    /// The models that are listed.
    pub models: Vec<String>,
}

/// A server that listens.
#[derive(Debug)]
pub struct Mock {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    answers: Answers,
    faults: Faults,
    bucket: Option<Bucket>,
    recorder: Arc<Recorder>,
    latency: Duration,
    jitter: Duration,
    pace: Duration,
    seed: u64,
    models: Vec<String>,
}

impl Mock {
    /// A server at `address`; its port 0 stands for any that is free.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn bind(address: SocketAddr, settings: Settings, answers: Answers) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let shared = Shared {
            answers,
            faults: Faults { rules: settings.rules, seed: settings.seed },
            bucket: settings.limit.map(|limit| Bucket::new(limit, Instant::now())),
            recorder: Arc::new(Recorder::new(settings.log)),
            latency: settings.latency,
            jitter: settings.jitter,
            pace: settings.pace,
            seed: settings.seed,
            models: settings.models,
        };
        Ok(Self { address: listener.local_addr()?, listener, shared: Arc::new(shared) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `cancel` says otherwise, and tells what was asked.
    ///
    /// # Errors
    /// The log cannot be written.
    pub async fn serve(self, cancel: watch::Receiver<Cancel>) -> io::Result<Counts> {
        let recorder = Arc::clone(&self.shared.recorder);
        // Each connection holds a receiver: when there is none any more, there is no connection.
        let (alive, _) = watch::channel(());
        let mut stop = cancel.clone();
        let failed = loop {
            let accepted = tokio::select! {
                biased;
                () = cancelled(&mut stop, Cancel::Finish) => break None,
                error = recorder.log_failed() => break Some(error),
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let connection = converse(stream, Arc::clone(&self.shared), cancel.clone());
                    let alive = alive.subscribe();
                    tokio::spawn(async move {
                        connection.await;
                        drop(alive);
                    });
                }
                // Its client is gone already, or there are too many connections: the next one may be better.
                Err(_) => tokio::time::sleep(NO_ROOM).await,
            }
        };
        drop(self.listener);
        if let Some(error) = failed {
            return Err(error);
        }
        tokio::select! {
            () = alive.closed() => {}
            () = cancelled(&mut stop, Cancel::Drop) => {}
            () = tokio::time::sleep(GRACE) => {}
        }
        Ok(recorder.counts())
    }
}

/// Waits until the server is to stop as far as `level`.
async fn cancelled(cancel: &mut watch::Receiver<Cancel>, level: Cancel) {
    if cancel.wait_for(|cancel| *cancel >= level).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// One connection from its beginning to its end.
async fn converse(stream: TcpStream, shared: Arc<Shared>, mut cancel: watch::Receiver<Cancel>) {
    // Answers are small and waited for.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let to_reset = Arc::clone(&reset);
    let service = service_fn(move |request| {
        let (shared, reset) = (Arc::clone(&shared), Arc::clone(&to_reset));
        Box::pin(async move {
            let response = respond(&shared, request).await;
            response.ok_or_else(|| {
                reset.store(true, Ordering::Relaxed);
                io::Error::other("reset on demand")
            })
        })
    });
    // A connection that its client keeps for later is closed by nobody: what goes wrong here was asked for.
    let mut http = http1::Builder::new();
    let mut connection = http.header_read_timeout(None).serve_connection(TokioIo::new(stream), service);
    let is_told = tokio::select! {
        // How a connection ends is its client's business, or was asked for.
        _ = poll_fn(|context| connection.poll_without_shutdown(context)) => false,
        () = cancelled(&mut cancel, Cancel::Finish) => true,
    };
    if is_told {
        Pin::new(&mut connection).graceful_shutdown();
        let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    }
    if reset.load(Ordering::Relaxed) {
        // Closed without lingering, a connection is reset.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

/// The answer to a request; `None` if its connection is to be reset.
async fn respond(shared: &Shared, request: Request<Incoming>) -> Option<Response<Body>> {
    let (parts, body) = request.into_parts();
    match Route::of(&parts) {
        Route::Ask { protocol, model, form } => shared.ask(protocol, model, form, &parts, body).await,
        Route::Count(protocol) => {
            let body = Limited::new(body, MAX_BODY).collect().await.ok()?.to_bytes();
            Some(match Question::count(protocol, &body) {
                Ok(tokens) if protocol == Protocol::Gemini => reply::json(200, &json!({"totalTokens": tokens})),
                Ok(tokens) => reply::json(200, &json!({"input_tokens": tokens})),
                Err(message) => reply::trouble(&Trouble::new(protocol, 400, &message)),
            })
        }
        Route::Models(protocol) => {
            let names: Vec<&str> = shared.models.iter().map(String::as_str).collect();
            let list = match protocol {
                Protocol::Gemini => gemini::models(&names),
                Protocol::OpenAi => openai::models(&names),
                Protocol::Anthropic => anthropic::models(&names),
            };
            Some(reply::json(200, &list))
        }
        Route::Model(protocol, name) => {
            let model = match protocol {
                Protocol::Gemini => gemini::model(&name),
                Protocol::OpenAi => openai::model(&name),
                Protocol::Anthropic => anthropic::model(&name),
            };
            Some(reply::json(200, &model))
        }
        Route::Stats => Some(reply::stats(&shared.recorder.counts())),
        Route::Unknown(protocol) => {
            let message = format!(
                "evalrun mock has no {} {}; it has POST …/models/MODEL:generateContent and :streamGenerateContent, \
                 POST …/chat/completions, POST …/messages, the counting of tokens, GET …/models and GET /stats",
                parts.method,
                parts.uri.path()
            );
            Some(reply::trouble(&Trouble::new(protocol, 404, &message)))
        }
    }
}

impl Shared {
    async fn ask(
        &self,
        protocol: Protocol,
        model: Option<String>,
        form: Form,
        parts: &Parts,
        body: Incoming,
    ) -> Option<Response<Body>> {
        let mut ticket = self.recorder.begin(protocol);
        let refuse = |mut ticket: Ticket, trouble: &Trouble| {
            ticket.status(trouble.status);
            let response = reply::trouble(trouble);
            Some(response.map(|body| body.with(ticket)))
        };
        let bytes = match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                let message = format!("a body may have {MAX_BODY} bytes at most");
                return refuse(ticket, &Trouble::new(protocol, 413, &message));
            }
            // The client has gone.
            Err(_) => return None,
        };
        let question = match Question::read(protocol, model, form, &bytes) {
            Ok(question) => question,
            Err(message) => return refuse(ticket, &Trouble::new(protocol, 400, &message)),
        };
        let passes = self.bucket.as_ref().is_none_or(|bucket| bucket.take(Instant::now()));
        let nth = ticket.read(&question, passes, &bytes, key_in(&parts.headers));
        if !passes {
            ticket.struck_by(Some(Fault::RateLimited));
            return refuse(ticket, &Trouble::over_the_limit(protocol));
        }
        self.wait(&question, nth).await;
        let fault = match self.faults.strike(&question.model, question.digest, nth, question.goes_on) {
            Ok(fault) => fault,
            Err(error) => return refuse(ticket, &Trouble::new(protocol, 404, &error.to_string())),
        };
        ticket.struck_by(fault);
        if fault == Some(Fault::Stall) {
            // Until the client goes away.
            std::future::pending::<()>().await;
        }
        let (answer, origin) = match self.answers.answer(&question, nth) {
            Ok(answer) => answer,
            Err(error) => return refuse(ticket, &Trouble::new(protocol, 500, &format!("the template: {error}"))),
        };
        ticket.answered_from(origin);
        let said = Said::new(&question, limited(answer, &question), fault);
        let response = reply::answer(&question, &said, fault, self.pace)?;
        ticket.status(response.status().as_u16());
        Some(with_id(response, protocol, &said.id).map(|body| body.with(ticket)))
    }

    async fn wait(&self, question: &Question, nth: u32) {
        let wait = if self.jitter.is_zero() {
            self.latency
        } else {
            let parts = [&self.seed.to_le_bytes()[..], &question.digest.to_le_bytes(), &nth.to_le_bytes()];
            self.latency + self.jitter.mul_f64(draw(&parts))
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// The request's id in the vendor's own header.
fn with_id(mut response: Response<Body>, protocol: Protocol, id: &str) -> Response<Body> {
    let name = match protocol {
        Protocol::Gemini => return response,
        Protocol::OpenAi => "x-request-id",
        Protocol::Anthropic => "request-id",
    };
    if let Ok(id) = id.parse() {
        response.headers_mut().insert(name, id);
    }
    response
}

/// The key that a request carries, in whichever header.
fn key_in(headers: &HeaderMap) -> Option<&str> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = || header("authorization").map(|value| value.strip_prefix("Bearer ").unwrap_or(value));
    header("x-goog-api-key").or_else(|| header("x-api-key")).or_else(bearer)
}
