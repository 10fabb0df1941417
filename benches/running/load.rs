//! The bare load generator: the same requests over kept connections, each answer read and thrown away.
//!
//! It stands for the least that any client needs; nothing is retried, kept or judged.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long it takes to have all of `bodies` answered over `at_once` connections.
///
/// # Panics
/// When the server does not answer one of them with 200.
pub(crate) fn generate(url: &str, bodies: Vec<String>, at_once: usize) -> Duration {
    let address = url.trim_start_matches("http://").to_owned();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let started = Instant::now();
    runtime.block_on(async {
        let shares: Vec<Vec<String>> =
            (0..at_once).map(|lane| bodies.iter().skip(lane).step_by(at_once).cloned().collect()).collect();
        let lanes: Vec<_> = shares.into_iter().map(|share| tokio::spawn(lane(address.clone(), share))).collect();
        for lane in lanes {
            lane.await.expect("a lane");
        }
    });
    started.elapsed()
}

async fn lane(address: String, bodies: Vec<String>) {
    let stream = TcpStream::connect(&address).await.expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
    tokio::spawn(connection);
    for body in bodies {
        let request = Request::post("/v1/chat/completions")
            .header("host", &address)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .expect("a request");
        let answer = sender.send_request(request).await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.into_body().collect().await.expect("a body");
    }
}
