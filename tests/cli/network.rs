//! What lies between evalrun and a server: certificates, versions of HTTP, proxies.

use hyper::Version;

use crate::support::call::{Call, Done};
use crate::support::project::Project;
use crate::support::server::Server;
use crate::support::tls::{Proxy, TlsServer};

/// A project of two cases whose model is at `url`.
fn project(url: &str) -> Project {
    let model = format!("[[model]]\nid = \"m\"\nprovider = \"openai\"\nbase_url = \"{url}\"\n");
    Project::new(&format!("[require]\njapanese_only = true\n{model}"), &["a", "b"])
}

fn run(project: &Project) -> Call {
    project.call("run --out run --concurrency 1 -vv")
}

/// A call that trusts the server.
fn trusting(project: &Project, server: &TlsServer) -> Call {
    let authority = project.path("authority.pem");
    std::fs::write(&authority, &server.authority).unwrap();
    run(project).env("SSL_CERT_FILE", authority.to_str().unwrap())
}

fn attempts(project: &Project) -> Vec<String> {
    project.csv("run/metrics.csv").cells(&["status", "attempts"])
}

// Elsewhere the system alone says who is trusted.
#[cfg(target_os = "linux")]
#[test]
fn an_authority_that_a_file_names_is_trusted_and_http_2_is_spoken() {
    let server = TlsServer::start();
    let project = project(&format!("https://localhost:{}/v1", server.port));
    trusting(&project, &server).done().expect(0);
    assert_eq!(attempts(&project), ["passed|1", "passed|1"]);
    assert_eq!(server.versions(), [Version::HTTP_2; 2]);
}

#[test]
fn an_authority_that_nobody_knows_is_refused_at_once_with_what_to_do() {
    let server = TlsServer::start();
    let project = project(&format!("https://localhost:{}/v1", server.port));
    let done = run(&project).done().expect(3);
    done.says(&["configuration: localhost", "invalid peer certificate: UnknownIssuer", "SSL_CERT_FILE"]);
    assert_eq!((attempts(&project), server.versions().len()), (vec!["errored|1".into(), "errored|0".into()], 0));
}

#[cfg(target_os = "linux")]
#[test]
fn the_certificate_of_another_host_is_refused_at_once_with_what_to_do() {
    let server = TlsServer::start();
    let project = project(&format!("https://127.0.0.1:{}/v1", server.port));
    let done = trusting(&project, &server).done().expect(3);
    done.says(&["configuration: 127.0.0.1", "it is the certificate of another host: is `base_url` right?"]);
    assert_eq!(attempts(&project), ["errored|1", "errored|0"]);
}

/// That credentials stand in nothing that is said or written.
fn hides(project: &Project, done: &Done, secrets: &[&str]) {
    let files =
        ["run/run.jsonl", "run/report.html", "run/metrics.csv", "run/summary.md"].map(|file| project.read(file));
    for text in files.iter().chain([&done.stdout, &done.stderr]) {
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_proxy_is_asked_for_a_way_and_its_credentials_are_shown_nowhere() {
    let (server, proxy) = (TlsServer::start(), Proxy::start(false));
    let project = project(&format!("https://localhost:{}/v1", server.port));
    let url = format!("http://somebody:sesame-4711@127.0.0.1:{}", proxy.port);
    let done = trusting(&project, &server).env("HTTPS_PROXY", &url).done().expect(0);
    assert_eq!(proxy.asked(), [format!("CONNECT localhost:{} HTTP/1.1", server.port)]);
    // somebody:sesame-4711
    assert!(proxy.knew("c29tZWJvZHk6c2VzYW1lLTQ3MTE="));
    assert_eq!(server.versions(), [Version::HTTP_2; 2]);
    hides(&project, &done, &["sesame-4711", "c29tZWJvZHk6c2VzYW1lLTQ3MTE="]);
}

#[test]
fn a_proxy_that_refuses_is_told_as_such_and_its_credentials_are_not() {
    for (scheme, variable) in [("https", "HTTPS_PROXY"), ("http", "HTTP_PROXY")] {
        let proxy = Proxy::start(true);
        let project = project(&format!("{scheme}://localhost:9/v1"));
        let url = format!("http://somebody:sesame-4711@127.0.0.1:{}", proxy.port);
        let done = run(&project).env(variable, &url).done().expect(3);
        done.says(&["authentication", "proxy"]);
        assert_eq!(attempts(&project), ["errored|1", "errored|0"], "{scheme}");
        hides(&project, &done, &["sesame-4711", "c29tZWJvZHk6c2VzYW1lLTQ3MTE="]);
    }
}

#[test]
fn a_server_without_tls_is_reached_through_its_own_proxy_unless_it_is_excepted() {
    let server = Server::answering("量子の記事です。");
    for (variables, is_asked) in [
        (&[][..], false),
        (&[("HTTPS_PROXY", "PROXY")], false),
        (&[("HTTP_PROXY", "PROXY")], true),
        (&[("http_proxy", "PROXY")], true),
        (&[("ALL_PROXY", "PROXY")], true),
        (&[("HTTP_PROXY", "PROXY"), ("NO_PROXY", "example.com,127.0.0.1")], false),
        (&[("HTTP_PROXY", "PROXY"), ("NO_PROXY", "*")], false),
        (&[("HTTP_PROXY", "PROXY"), ("no_proxy", "example.com")], true),
    ] {
        let proxy = Proxy::start(false);
        let project = project(&server.url());
        let url = format!("http://127.0.0.1:{}", proxy.port);
        let call =
            variables.iter().fold(run(&project), |call, (name, value)| call.env(name, &value.replace("PROXY", &url)));
        call.done().expect(0);
        let expected = format!("POST {}/chat/completions HTTP/1.1", server.url());
        let asked = proxy.asked();
        assert!(asked.iter().all(|line| *line == expected), "{asked:?}");
        assert_eq!(!asked.is_empty(), is_asked, "{variables:?}");
    }
}
