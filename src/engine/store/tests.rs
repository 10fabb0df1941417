//! What the answer store keeps, finds, refuses and tells.

use super::*;

fn request(body: &str) -> Request {
    Request { provider: Provider::OpenAi, url: "http://m.test".into(), headers: vec![], body: body.into() }
}

fn answer(text: &str) -> Answer {
    let usage = Usage { input_tokens: Some(3), ..Usage::default() };
    let response = Response {
        text: Some(text.into()),
        finish: Finish::of("stop"),
        usage,
        served_model: Some("m-001".into()),
        id: Some("r1".into()),
        rest: None,
    };
    Answer { response, latency: Duration::from_millis(1_500), ..Answer::default() }
}

async fn put(store: &Store, body: &str, text: &str) -> Result<(), Arc<StoreError>> {
    let request = request(body);
    store.put(request.key(0), &request, "m", &answer(text)).await
}

fn get(store: &Store, body: &str) -> Option<String> {
    store.get(&request(body).key(0), None).unwrap().and_then(|answer| answer.response.text)
}

#[tokio::test]
async fn what_is_put_is_found_by_this_and_any_other_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/.evalrun/answers.db");
    let store = Store::open(&path).unwrap();
    assert_eq!(get(&store, "q"), None);
    put(&store, "q", "量子\u{2028}").await.unwrap();
    let found = store.get(&request("q").key(0), None).unwrap().unwrap();
    assert_eq!(found, Answer { cached: true, ..answer("量子\u{2028}") });
    assert_eq!(store.get(&request("q").key(1), None).unwrap(), None);
    let other = Store::open(&path).unwrap();
    put(&other, "q", "新しい").await.unwrap();
    assert_eq!((get(&store, "q"), get(&other, "q")), (Some("新しい".into()), Some("新しい".into())));
    let ignore = fs::read_to_string(folder.path().join("a/.evalrun/.gitignore")).unwrap();
    assert!(ignore.ends_with("\n*\n"), "{ignore}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_that_write_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers.db");
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let path = path.clone();
        tasks.spawn_blocking(move || {
            let store = Store::open(&path).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                for n in 0..50 {
                    put(&store, &format!("{writer}-{n}"), "答え").await.unwrap();
                }
            });
        });
    }
    tasks.join_all().await;
    let shares = Store::open(&path).unwrap().shares().unwrap();
    assert_eq!((shares.len(), shares[0].answers, shares[0].model.as_str()), (1, 200, "m"));
}

#[tokio::test]
async fn an_answer_that_is_too_old_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("answers.db")).unwrap();
    let before = Timestamp::now();
    put(&store, "q", "答え").await.unwrap();
    let key = request("q").key(0);
    assert!(store.get(&key, Some(before)).unwrap().is_some());
    assert!(store.get(&key, Some(before + Duration::from_secs(60))).unwrap().is_none());
}

#[tokio::test]
async fn answers_are_pruned_by_age_and_model_and_exported_as_lines() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("answers.db")).unwrap();
    for (body, model) in [("1", "a"), ("2", "a"), ("3", "b"), ("4", "c")] {
        let request = request(body);
        store.put(request.key(0), &request, model, &answer("答え")).await.unwrap();
    }
    let prune = |before, models: &[&str]| {
        let models = (!models.is_empty()).then(|| models.iter().map(|model| (*model).to_owned()).collect());
        store.prune(&Prune { before, models }).unwrap()
    };
    assert_eq!(prune(Some(Timestamp::UNIX_EPOCH), &[]), 0);
    assert_eq!(prune(None, &["a", "x"]), 2);
    let mut lines = Vec::new();
    store.export(&mut lines).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line["text"] == "答え" && line["url"] == "http://m.test"));
    assert_eq!(prune(None, &[]), 2);
    assert_eq!(store.shares().unwrap(), []);
}

#[tokio::test]
async fn a_store_where_nothing_can_be_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers 100%? #1.db");
    let store = Store::open(&path).unwrap();
    put(&store, "q", "答え").await.unwrap();
    drop(store);
    fs::remove_file(beside(&path, ".lock")).unwrap();
    let store = Store::read_only(&path).unwrap();
    assert_eq!((get(&store, "q").as_deref(), get(&store, "r")), (Some("答え"), None));
    assert_eq!(store.shares().unwrap()[0].answers, 1);
    let refused = put(&store, "r", "答え").await.unwrap_err().to_string();
    assert!(refused.ends_with("nothing can be written there"), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_store_that_is_only_read_has_what_another_process_is_writing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers.db");
    let store = Store::open(&path).unwrap();
    put(&store, "q", "答え").await.unwrap();
    let read = Store::read_only(&path).unwrap();
    put(&store, "r", "答え").await.unwrap();
    assert_eq!((get(&read, "q").as_deref(), get(&read, "r").as_deref()), (Some("答え"), Some("答え")));
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers.db");
    let refused = |expected: &str| {
        let before = fs::read(&path).unwrap();
        let error = Store::open(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
        fs::remove_file(&path).unwrap();
    };
    fs::write(&path, "case,prompt\n".repeat(200)).unwrap();
    refused("this is no answer store");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
    refused("this is no answer store");
    drop(Store::open(&path).unwrap());
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
    refused("has version 2, and this evalrun knows version 1");
}

#[tokio::test]
async fn a_damaged_store_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers.db");
    let store = Store::open(&path).unwrap();
    for n in 0..100 {
        put(&store, &n.to_string(), &"答え".repeat(200)).await.unwrap();
    }
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0xAB);
    fs::write(&path, bytes).unwrap();
    let told = Store::open(&path).and_then(|store| {
        store.get(&request("1").key(0), None)?;
        store.shares().map(drop)
    });
    assert!(matches!(told, Err(StoreError::Damaged { .. })), "{told:?}");
}
