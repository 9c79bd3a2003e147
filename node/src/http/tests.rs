//! Who gets which page, over real sockets and with a session of each kind.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use kith_protocol::id::StaffId;
use tempfile::TempDir;

use super::{
    Pages, Site,
    sessions::{Secret, Viewer},
};
use crate::{
    api::{NewPerson, NewStaff, Reply, Request},
    daemon::Daemon,
    home::{Home, Unlock},
    node::{Node, Role},
};

/// A practice whose node runs, with one member of staff and one record.
struct Surgery {
    _folder: TempDir,
    _runtime: tokio::runtime::Runtime,
    _pages: tokio::task::JoinHandle<()>,
    site: Arc<Site>,
    record: String,
    nurse: Viewer,
}

/// Somebody with a session.
struct Browser {
    address: SocketAddr,
    cookie: String,
    form: String,
}

impl Surgery {
    fn open() -> Self {
        let folder = TempDir::new().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        Node::set_up(&home, "Riverside Surgery", Role::Practice, &Unlock::KeyFile).expect("set up");
        let mut node = Node::open(&home, &Unlock::KeyFile).expect("opened");
        let nurse = NewStaff {
            name: "Sam Reed".to_owned(),
            role: "nurse".to_owned(),
            may: "see,add".to_owned(),
            until: None,
        };
        let entered = node.handle(Request::StaffAdd(nurse), &mut |_| {});
        let Ok(Reply::StaffAdded(nurse)) = entered else {
            panic!("not entered");
        };
        let nurse = StaffId::from_hex(&nurse.id).expect("an id");
        let person = NewPerson {
            family: "Penn".to_owned(),
            ..NewPerson::default()
        };
        let made = node.handle(Request::RecordNew(person), &mut |_| {});
        let Ok(Reply::RecordNew(made)) = made else {
            panic!("no record");
        };
        drop(node);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let (site, pages) = runtime.block_on(async {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let pages = Pages::open(any).await.expect("a port");
            let site = Arc::clone(pages.site());
            let mut daemon = Daemon::start(home, Unlock::KeyFile).await.expect("started");
            daemon.show(pages);
            let running = tokio::spawn(async {
                daemon.run(std::future::pending()).await.expect("it runs");
            });
            (site, running)
        });
        Self {
            _folder: folder,
            _runtime: runtime,
            _pages: pages,
            site,
            record: made.record,
            nurse: Viewer::Staff(nurse),
        }
    }

    fn browser(&self, viewer: Viewer) -> Browser {
        let secret = self.site.sessions.begin(viewer);
        let session = self.site.sessions.find(&secret).expect("a session");
        Browser {
            address: SocketAddr::from(([127, 0, 0, 1], self.site.port())),
            cookie: format!("{}={}", self.site.sessions.cookie(), secret.as_str()),
            form: Secret::as_str(&session.form).to_owned(),
        }
    }
}

impl Browser {
    fn ask(&self, line: &str, body: &str) -> (u16, String) {
        let Self {
            address, cookie, ..
        } = self;
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).expect("served");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        (status.expect("a status"), answer)
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!("GET {path}"), "")
    }

    fn post(&self, path: &str, fields: &str) -> (u16, String) {
        let body = format!("form={}&{fields}", self.form);
        self.ask(&format!("POST {path}"), &body)
    }
}

const OF_WHOEVER_RUNS_IT: [&str; 7] = [
    "/join",
    "/joining/some",
    "/data",
    "/backups",
    "/devices",
    "/staff",
    "/phone",
];

#[test]
fn pages_of_the_node_are_for_whoever_runs_it() {
    let surgery = Surgery::open();
    let owner = surgery.browser(Viewer::Owner);
    for viewer in [surgery.nurse.clone(), Viewer::Phone] {
        let browser = surgery.browser(viewer.clone());
        for path in OF_WHOEVER_RUNS_IT {
            assert_ne!(owner.get(path).0, 403, "{path}");
            assert_eq!(browser.get(path).0, 403, "{path} of {viewer:?}");
            assert_eq!(browser.post(path, "").0, 403, "{path} of {viewer:?}");
        }
        for path in [
            "/devices/retire",
            "/staff/end",
            "/staff/account",
            "/phone/close",
        ] {
            assert_eq!(browser.post(path, "").0, 403, "{path} of {viewer:?}");
        }
        let (_, records) = browser.get("/records");
        assert!(!records.contains("/join"), "{viewer:?}");
    }
    assert!(owner.get("/records").1.contains("/join"));
}

#[test]
fn staff_write_in_their_own_name_and_a_phone_writes_nothing() {
    let surgery = Surgery::open();
    let add = format!("/r/{}/add", surgery.record);
    let of_phone = surgery.browser(Viewer::Phone);
    let (status, said) = of_phone.post(&add, "what=note&note=From+a+phone");
    assert_eq!(status, 403);
    assert!(said.contains("A phone looks and changes nothing"), "{said}");
    let of_nurse = surgery.browser(surgery.nurse.clone());
    assert_eq!(of_nurse.post(&add, "what=note&note=Slept+well").0, 303);
    let handover = format!("/r/{}/to-do", surgery.record);
    assert_eq!(of_nurse.post(&handover, "").0, 303);
    let (_, handover) = surgery.browser(Viewer::Owner).get(&handover);
    assert!(handover.contains("Slept well"), "{handover}");
    assert!(
        handover.contains("Riverside Surgery (Sam Reed)"),
        "{handover}"
    );
    assert!(!handover.contains("From a phone"), "{handover}");
    assert_eq!(of_phone.post("/leave", "").0, 200, "it may end its visit");
    assert_eq!(of_phone.get("/records").0, 401);
}
