//! The laws of every notifier, with chats on real sockets, one for each recipient.

#![allow(clippy::unwrap_used, reason = "tests may panic, helpers too")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use custom_notifier::ChatNotifier;
use inresponse_conformance::{Arrival, Behaviour, NotifierHarness};
use inresponse_core::model::Contact;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Chats by their number; made when they are first asked for.
#[derive(Default)]
struct Chats {
    chats: Mutex<HashMap<usize, Chat>>,
}

struct Chat {
    port: u16,
    room: Arc<Mutex<Room>>,
    serving: JoinHandle<()>,
}

struct Room {
    behaviour: Behaviour,
    attempts: usize,
    arrived: Vec<Arrival>,
}

fn contact(port: u16) -> Contact {
    Contact::new(format!("http://127.0.0.1:{port}/hook")).unwrap()
}

fn serve(listener: std::net::TcpListener, room: Arc<Mutex<Room>>) -> JoinHandle<()> {
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let room = Arc::clone(&room);
            tokio::spawn(async move { answer(stream, &room).await });
        }
    })
}

/// Reads one request and answers it as it was told to.
async fn answer(stream: TcpStream, room: &Mutex<Room>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let (mut length, mut delivery_id, mut line) = (0, String::new(), String::new());
    while stream.read_line(&mut line).await.ok()? > 2 {
        let (name, value) = line.trim_end().split_once(": ").unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "x-inresponse-delivery" => delivery_id = value.to_owned(),
            _ => {}
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let text = body["text"].as_str().unwrap().to_owned();
    let behaviour = {
        let mut room = room.lock().unwrap();
        room.attempts += 1;
        if matches!(room.behaviour, Behaviour::Accept | Behaviour::TakeAndHang | Behaviour::TakeAndClose) {
            room.arrived.push(Arrival { delivery_id, text });
        }
        room.behaviour
    };
    let status = match behaviour {
        Behaviour::Accept => "200 OK".to_owned(),
        Behaviour::Reject => "410 Gone".to_owned(),
        Behaviour::RefuseSender => "401 Unauthorized".to_owned(),
        Behaviour::Busy => "503 Service Unavailable".to_owned(),
        Behaviour::Throttle => format!("429 Slow Down\r\nretry-after: {}", Behaviour::PAUSE.as_secs()),
        Behaviour::TakeAndClose | Behaviour::Unreachable => return None,
        Behaviour::Hang | Behaviour::TakeAndHang => std::future::pending().await,
    };
    stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.ok()
}

impl Chats {
    fn with<T>(&self, contact: &Contact, does: impl FnOnce(&mut Chat) -> T) -> T {
        let mut chats = self.chats.lock().unwrap();
        let chat = chats.values_mut().find(|chat| self::contact(chat.port) == *contact);
        does(chat.unwrap())
    }
}

impl NotifierHarness for Chats {
    type Notifier = ChatNotifier;

    async fn notifier(&self) -> ChatNotifier {
        ChatNotifier::new().unwrap()
    }

    fn contact(&self, n: usize) -> Contact {
        let mut chats = self.chats.lock().unwrap();
        let chat = chats.entry(n).or_insert_with(|| {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let room = Room { behaviour: Behaviour::Accept, attempts: 0, arrived: Vec::new() };
            let room = Arc::new(Mutex::new(room));
            Chat { port, serving: serve(listener, Arc::clone(&room)), room }
        });
        contact(chat.port)
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        let ended = self.with(contact, |chat| {
            let before = std::mem::replace(&mut chat.room.lock().unwrap().behaviour, behaviour);
            if before == Behaviour::Unreachable && behaviour != before {
                let listener = std::net::TcpListener::bind(("127.0.0.1", chat.port)).unwrap();
                chat.serving = serve(listener, Arc::clone(&chat.room));
            }
            if behaviour == Behaviour::Unreachable {
                chat.serving.abort();
            }
            behaviour == Behaviour::Unreachable
        });
        // The socket is closed when the task has been dropped.
        while ended && !self.with(contact, |chat| chat.serving.is_finished()) {
            tokio::task::yield_now().await;
        }
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.with(contact, |chat| chat.room.lock().unwrap().attempts)
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        self.with(contact, |chat| chat.room.lock().unwrap().arrived.clone())
    }
}

inresponse_conformance::notifier_laws!(Chats::default());
