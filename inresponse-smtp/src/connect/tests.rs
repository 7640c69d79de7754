//! Connecting: to whichever address can be reached, and with TLS.

use std::any::Any;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::*;

/// An address where connecting hangs: a queue of one place, which is taken.
async fn black_hole() -> (SocketAddr, Vec<Box<dyn Any>>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held: Vec<Box<dyn Any>> = vec![Box::new(listener)];
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        held.push(Box::new(stream));
    }
    (address, held)
}

#[tokio::test]
async fn p13_an_address_where_packets_vanish_does_not_keep_the_next_from_being_tried() {
    let (hole, _held) = black_hole().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let good = listener.local_addr().unwrap();
    let reached = reach(&[hole, good], Duration::from_secs(2)).await.unwrap();
    assert_eq!(reached.peer_addr().unwrap(), good);
    let alone = reach(&[hole], Duration::from_millis(300)).await;
    assert!(matches!(alone, Err(Failure::Silent)), "{alone:?}");
    assert!(matches!(reach(&[], Duration::from_secs(1)).await, Err(Failure::Lost(_))));
}

const CERTIFICATE: &[u8] = include_bytes!("../../tests/tls/certificate.der");
const KEY: &[u8] = include_bytes!("../../tests/tls/key.der");

/// Says the replies in turn, each after a line; tells what was said to it.
async fn converse(stream: impl Stream, replies: &[&str]) -> (impl Stream, Vec<String>) {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    for reply in replies {
        if !reply.starts_with("220 test") {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            lines.push(line.trim().to_owned());
        }
        stream.write_all(reply.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
    }
    (stream.into_inner(), lines)
}

/// Connects as the URL says, to a server that says `plain` before TLS, which begins where the last of them was, and
/// `secret` after it; tells what came of it, and what the server was told.
async fn connected(
    url: &str,
    plain: Vec<&'static str>,
    secret: Vec<&'static str>,
) -> (Result<Session, Failure>, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let certificate = CertificateDer::from(CERTIFICATE);
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], PrivatePkcs8KeyDer::from(KEY).into())
        .unwrap();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (stream, mut lines) = converse(stream, &plain).await;
        if !secret.is_empty()
            && let Ok(stream) = TlsAcceptor::from(Arc::new(server)).accept(stream).await
        {
            lines.extend(converse(stream, &secret).await.1);
        }
        lines
    });
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = SmtpConfig::from_url(&url.replace("PORT", &port.to_string()), "ir@example.org").unwrap();
    let connector = Connector { config, tls: Some(TlsConnector::from(Arc::new(tls))) };
    let session = connector.connect(Duration::from_secs(20)).await;
    (session, serving.await.unwrap())
}

#[tokio::test]
async fn what_is_encrypted_is_so_before_anybody_signs_in() {
    let greeting = "220 test\r\n";
    let (session, lines) = connected(
        "smtp://u:p@127.0.0.1:PORT/me?tls=required",
        vec![greeting, "250-test\r\n250 STARTTLS\r\n", "220 go on\r\n"],
        vec!["250-test\r\n250 AUTH PLAIN\r\n", "235 welcome\r\n"],
    )
    .await;
    session.unwrap();
    assert_eq!(lines, ["EHLO me", "STARTTLS", "EHLO me", "AUTH PLAIN AHUAcA=="]);

    let (session, lines) = connected(
        "smtps://u:p@127.0.0.1:PORT/me",
        vec![],
        vec![greeting, "250-test\r\n250 AUTH PLAIN\r\n", "235 welcome\r\n"],
    )
    .await;
    session.unwrap();
    assert_eq!(lines, ["EHLO me", "AUTH PLAIN AHUAcA=="]);

    let plain = vec![greeting, "250 test\r\n"];
    let (session, lines) =
        connected("smtp://127.0.0.1:PORT/me?tls=opportunistic", plain.clone(), vec![]).await;
    session.unwrap();
    assert_eq!(lines, ["EHLO me"]);
    let (session, _) = connected("smtp://127.0.0.1:PORT/me?tls=required", plain, vec![]).await;
    assert!(matches!(session, Err(Failure::Lost(_))), "{session:?}");
}

#[tokio::test]
async fn what_is_said_before_tls_is_not_taken_for_what_is_said_over_it() {
    let (session, _) = connected(
        "smtp://u:p@127.0.0.1:PORT/me?tls=required",
        vec!["220 test\r\n", "250-test\r\n250 STARTTLS\r\n", "220 go on\r\n250 AUTH LOGIN\r\n"],
        vec![],
    )
    .await;
    assert!(matches!(session, Err(Failure::Lost(_))), "{session:?}");
}
