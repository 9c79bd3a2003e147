//! The commands of `docs/containers.md`, as they stand, with the compose example.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use kith_containers::{Engine, until};

/// The lines of the block below "Try it".
fn commands() -> Vec<String> {
    let page = include_str!("../../../docs/containers.md");
    let (_, below) = page.split_once("## Try it\n").expect("a section");
    let block = below.split("```").nth(1).expect("a block of commands");
    let lines = block.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// Version 2 is a part of the engine's client, version 1 a program of its own.
fn compose() -> Option<&'static str> {
    ["docker compose", "docker-compose"]
        .into_iter()
        .find(|program| {
            let mut version = Command::new("bash");
            version.args(["-c", &format!("{program} version")]);
            version.output().is_ok_and(|output| output.status.success())
        })
}

struct Reader {
    compose: &'static str,
    root: PathBuf,
    people: tempfile::TempDir,
    project: String,
    image: String,
    port: u16,
    record: String,
    words: String,
}

impl Reader {
    fn bash(&self, line: &str) -> Output {
        let line = line
            .replace("docker compose", self.compose)
            // Nobody sits at a terminal here.
            .replace(" exec ", " exec -T ")
            .replace(" run --rm ", " run --rm -T ")
            .replace("RECORD", &self.record)
            .replace("WORDS", &self.words);
        let mut bash = Command::new("bash");
        bash.args(["-c", &line]).current_dir(&self.root);
        bash.env(
            "COMPOSE_FILE",
            self.root.join("docs/containers/compose.yaml"),
        );
        bash.env("COMPOSE_PROJECT_NAME", &self.project);
        bash.env("KITH_PEOPLE", self.people.path());
        bash.env("KITH_PORT", self.port.to_string());
        bash.env("KITH_IMAGE", &self.image);
        bash.stdin(Stdio::null());
        bash.output().expect("bash runs")
    }

    fn does(&self, line: &str) -> String {
        let output = self.bash(line);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{said}\n{complained}");
        said
    }

    /// Reads on as somebody at a terminal would.
    async fn follows(&mut self, line: &str) {
        if !line.starts_with("docker compose ") {
            // The image and the people are made before the tests.
            let made = ["cargo ", "docs/containers/build", "export COMPOSE_FILE="];
            let made = made.iter().any(|beginning| line.starts_with(beginning));
            assert!(made, "nobody tries {line:?}");
            return;
        }
        if line.contains(" share ") {
            let said = self.does(&line.replace("/kith", "/kith --json"));
            let said: serde_json::Value = serde_json::from_str(&said).expect("one object");
            self.words = said["words"].as_str().expect("four words").to_owned();
            return;
        }
        let said = self.does(line);
        if line.ends_with(" record list") {
            let listed = self.does(&format!("{line} --json"));
            let listed: serde_json::Value = serde_json::from_str(&listed).expect("one object");
            let id = listed["records"][0]["record"].as_str().expect("a record");
            self.record = id[..12].to_owned();
        }
        if let Some(service) = line.strip_prefix("docker compose up -d ") {
            // Nobody types the next command before the node is there.
            let logs = format!("docker compose logs {service}");
            until(&format!("{service} runs"), async || {
                let said = self.does(&logs);
                if said.contains("Running; others reach this node at") {
                    Ok(())
                } else {
                    Err(said)
                }
            })
            .await;
        }
        if line.contains(" show ") {
            assert!(said.contains("allergies: "), "{said}");
        }
        if line.contains(" status") {
            assert!(said.contains("Sam"), "{said}");
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let gone = self.bash("docker compose down --volumes");
        if !gone.status.success() {
            eprintln!("something of {} is still on this machine", self.project);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_the_page_shares_a_record_between_two_containers() {
    let Some(compose) = compose() else {
        eprintln!("\n!!!! NOT TESTED HERE: the compose example, there is no compose here\n");
        return;
    };
    let engine = Engine::found().await;
    let people = tempfile::tempdir().expect("a folder");
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sample = crates.join("../samples/ips.json");
    std::fs::copy(sample, people.path().join("ips.json")).expect("a sample of our own");
    readable_by_all(people.path());
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let mut reader = Reader {
        compose,
        root: crates.join("../.."),
        people,
        project: engine.named("compose"),
        image: engine.image(),
        port: port.expect("a free port").port(),
        record: String::new(),
        words: String::new(),
    };
    for line in commands() {
        reader.follows(&line).await;
    }
    assert!(!reader.words.is_empty());
}

/// The node in the container is somebody else.
fn readable_by_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let rights = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder, rights).expect("it is ours");
}
