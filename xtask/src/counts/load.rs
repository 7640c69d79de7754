//! Reports incidents over plain connections.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::tools::Failure;

/// Sends that many reports over that many connections. Each report has its own title, so each is a new incident.
pub(super) fn report_all(
    address: SocketAddr,
    service: &str,
    reports: u32,
    connections: u32,
) -> Result<(), Failure> {
    let next = AtomicU32::new(0);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| send(address, service, &next, reports).map_err(|e| e.to_string())))
            .collect();
        for sender in senders {
            sender.join().map_err(|_| "a sender panicked")??;
        }
        Ok(())
    })
}

fn send(address: SocketAddr, service: &str, next: &AtomicU32, reports: u32) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= reports {
            return Ok(());
        }
        stream.write_all(request(service, number).as_bytes())?;
        let (status, body) = answer(&mut answers)?;
        if !status.contains(" 201 ") {
            return Err(format!("a report was answered: {status} {body}").into());
        }
    }
}

/// A report of about 400 bytes, as a whole request.
fn request(service: &str, number: u32) -> String {
    let message = "More than 12 % of the requests of the last five minutes were answered with 5xx. If many services \
                   say so, look at the network first, then at the database that they share, then at what was \
                   deployed in the last hour.";
    let body = format!(
        r#"{{"service":"{service}","severity":"CRIT","title":"5xx error spike {number:012}","message":"{message}","source":"bench","labels":{{"instance":"web-7","job":"web"}}}}"#
    );
    format!(
        "PUT /incidents HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         x-api-key: monitoring-key-monitoring-key\r\n\r\n{body}",
        body.len()
    )
}

/// The status line and the body of an answer.
fn answer(from: &mut impl BufRead) -> Result<(String, String), Failure> {
    let (mut status, mut length) = (String::new(), 0);
    from.read_line(&mut status)?;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Err("the server closed a connection".into());
        }
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok((status.trim().to_owned(), String::from_utf8_lossy(&body).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_end_and_no_further() {
        let mut two =
            &b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nx: y\r\n\r\n{}HTTP/1.1 503 No\r\n\r\n"[..];
        assert_eq!(answer(&mut two).unwrap(), ("HTTP/1.1 201 Created".to_owned(), "{}".to_owned()));
        assert_eq!(answer(&mut two).unwrap(), ("HTTP/1.1 503 No".to_owned(), String::new()));
        assert!(answer(&mut two).is_err());
    }
}
