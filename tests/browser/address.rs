//! The page's address: an answer, filters, and going back.

use serde_json::json;

use crate::chromium::Browser;
use crate::{JETRO, opened, own_page, set, shown};

#[test]
fn an_address_opens_an_answer_and_going_back_closes_it() {
    let Some(mut browser) = opened(JETRO) else { return };
    let head = "document.querySelector(\"dialog[open] h3\")?.textContent ?? \"closed\"";
    assert_eq!(browser.text(head), "✗ news-article@sample-inventive failed");
    browser.value("document.querySelectorAll(\"dialog .chip button\")[3].click()");
    assert_eq!(browser.text("location.hash"), "#jetro-quantum-mission/news-article-careful@sample-careful");
    assert_eq!(browser.text(head), "✓ news-article-careful@sample-careful passed");
    let went_back =
        "new Promise((done) => { addEventListener(\"popstate\", () => setTimeout(() => done(1))); history.back(); })";
    browser.value(went_back);
    assert_eq!(browser.text(head), "✗ news-article@sample-inventive failed");
    browser.press(&["Escape"]);
    assert_eq!(browser.text(head), "closed");
    assert_eq!(browser.text("location.hash"), "");
    for nowhere in ["#matrix", "#no-such/p@m", "#%E0%A4%A", "#jetro-quantum-mission/no@such", "#a/b/c/d"] {
        browser.open(&own_page("en"), nowhere);
        assert_eq!(browser.text(head), "closed", "{nowhere}");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Waits until the address is that.
fn await_address(browser: &mut Browser, address: &str) {
    let is_there = format!(
        "new Promise((done) => {{ let left = 100; const look = () => location.hash === {} || (left -= 1) === 0 \
         ? done(location.hash) : setTimeout(look, 50); look(); }})",
        json!(address)
    );
    assert_eq!(browser.text(&is_there), address);
}

#[test]
fn an_address_holds_the_filters_beside_the_answer() {
    let Some(mut browser) = opened("") else { return };
    set(&mut browser, "verdict", "failed");
    set(&mut browser, "property", "contains");
    set(&mut browser, "sort", "long");
    await_address(&mut browser, "#?property=contains&verdict=failed&sort=long");
    let (count, first) = (shown(&mut browser), "document.querySelector(\".line .case b\").textContent");
    let case = browser.text(first);
    browser.value("document.querySelector(\".open\").click()");
    let address = format!("#{case}/news-article@sample-careful?property=contains&verdict=failed&sort=long");
    await_address(&mut browser, &address);
    // Sent to somebody else, the address shows the same answer and the same cases around it.
    browser.open(&own_page("ja"), &address);
    assert_eq!(browser.text("document.getElementById(\"answer-title\").textContent"), case);
    browser.press(&["Escape"]);
    assert_eq!(browser.text(first), case);
    assert_eq!(shown(&mut browser), "14ケース中2件");
    assert_eq!(count, "2 of 14 cases");
    assert_eq!(browser.text("location.hash"), "#?property=contains&verdict=failed&sort=long");
    browser.value("document.getElementById(\"clear\").click()");
    await_address(&mut browser, "");
    assert_eq!(shown(&mut browser), "14ケース中14件");
}

#[test]
fn an_address_that_is_typed_filters_at_once() {
    let Some(mut browser) = opened("#?q=%E3%82%B8%E3%82%A7%E3%83%88%E3%83%AD&verdict=fail") else { return };
    let search = "document.getElementById(\"text\").value";
    assert_eq!((browser.text(search), shown(&mut browser)), ("ジェトロ".to_owned(), "1 of 14 cases".to_owned()));
    assert_eq!(browser.text("document.getElementById(\"verdict\").value"), "failed");
    let notice = "document.getElementById(\"strange\")";
    for (address, cases, told) in [
        ("#?model=sample-careful&prompt=news-article", "14 of 14 cases", ""),
        ("#?tag=first-case", "1 of 14 cases", ""),
        ("#?property=no_such&tag=first-case&colour=red", "1 of 14 cases", "colour, property=no_such"),
        ("#?q=%E0%A4%A", "0 of 14 cases", ""),
        // A link within the page is no address of filters.
        ("#matrix", "0 of 14 cases", ""),
        ("#", "14 of 14 cases", ""),
    ] {
        let go = format!(
            "new Promise((done) => {{ addEventListener(\"popstate\", () => setTimeout(() => done(1)), {{ once: true }}); \
             location.hash = {}; }})",
            json!(address)
        );
        browser.value(&go);
        assert_eq!(shown(&mut browser), cases, "{address}");
        assert_eq!(browser.value(&format!("{notice}.hidden")), told.is_empty(), "{address}");
        assert!(browser.text(&format!("{notice}.textContent")).contains(told), "{address}");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}
