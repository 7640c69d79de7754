//! A conversation with a mail server: commands, replies, and the time limit of each.
//!
//! The mail library provides the commands. The library reads replies only as UTF-8, so a server that writes Latin-1
//! after a code would count as one that has not answered. Therefore replies are read here, where the three digits
//! decide (RFC 5321 section 4.2).

use std::fmt::{self, Debug, Display};
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::commands::{Auth, Ehlo, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, ServerInfo};
use lettre::transport::smtp::response::{Category, Code, Detail, Response, Severity};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use crate::reply::{Failure, Reply};

/// The time limit for TLS, and then for the server's greeting. Some servers let a client wait, because spammers do not
/// wait (Postfix's `postscreen_greet_wait`, Sendmail's `greet_pause`).
pub(crate) const GREETING: Duration = Duration::from_secs(60);
/// The time limit for the reply to a command before a mail begins.
///
/// From MAIL on, the attempt's deadline is the only limit: RFC 5321 section 4.5.3.2 allows five minutes for MAIL and
/// RCPT, and ten for the end of the content. Some servers ask others about a recipient before they answer.
pub(crate) const COMMAND: Duration = Duration::from_secs(30);

/// The maximum length of a line in a reply, in bytes; RFC 5321 section 4.5.3.1.5 allows 512.
const MAX_LINE: u64 = 4096;
/// The maximum number of lines in a reply.
const MAX_LINES: usize = 256;
/// The maximum number of challenges while the client signs in; `LOGIN` has two.
const MAX_CHALLENGES: usize = 4;

/// The transport of a conversation.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Debug + Send + Unpin> Stream for T {}

/// A conversation in which server and client take turns.
pub(crate) struct Session {
    stream: BufReader<Box<dyn Stream>>,
    server: ServerInfo,
}

impl Session {
    /// Waits for the server's greeting.
    pub(crate) async fn begin(stream: impl Stream + 'static) -> Result<Self, Failure> {
        let mut session = Self::over(stream);
        within(GREETING, session.reply()).await?.completed()?;
        Ok(session)
    }

    fn over(stream: impl Stream + 'static) -> Self {
        Self { stream: BufReader::new(Box::new(stream)), server: ServerInfo::default() }
    }

    /// Sends EHLO, and learns what the server can do.
    pub(crate) async fn hello(&mut self, name: &ClientId) -> Result<(), Failure> {
        let reply = self.command(Ehlo::new(name.clone())).await?.completed()?;
        self.server = ServerInfo::from_response(&reply.with_code(250)).map_err(Failure::unreadable)?;
        Ok(())
    }

    /// Whether the server supports that extension.
    pub(crate) fn can(&self, extension: Extension) -> bool {
        self.server.supports_feature(extension)
    }

    /// Asks for TLS, and returns the stream on which TLS begins.
    pub(crate) async fn starttls(mut self) -> Result<Box<dyn Stream>, Failure> {
        self.command(Starttls).await?.completed()?;
        // Bytes after the reply arrived unencrypted and may come from anybody. RFC 3207 section 4.2 requires that they
        // are discarded.
        if !self.stream.buffer().is_empty() {
            return Err(Failure::Lost("the mail server sent more before TLS was agreed on".into()));
        }
        Ok(self.stream.into_inner())
    }

    /// Continues the conversation over TLS: the server does not greet again.
    pub(crate) fn resume(stream: impl Stream + 'static) -> Self {
        Self::over(stream)
    }

    /// Signs in to the server.
    pub(crate) async fn sign_in(&mut self, credentials: &Credentials) -> Result<(), Failure> {
        let Some(mechanism) = self.server.get_auth_mechanism(DEFAULT_MECHANISMS) else {
            return Err(Failure::Lost(
                "the mail server offers no login method that this program supports".into(),
            ));
        };
        let unreadable = Failure::unreadable;
        let first = Auth::new(mechanism, credentials.clone(), None).map_err(unreadable)?;
        let mut reply = self.command(first).await?;
        for _ in 0..MAX_CHALLENGES {
            if reply.code != 334 {
                break;
            }
            let challenge = reply.with_code(334);
            let next =
                Auth::new_from_response(mechanism, credentials.clone(), &challenge).map_err(unreadable)?;
            reply = self.command(next).await?;
        }
        reply.completed().map(drop)
    }

    /// Sends a command and waits for the reply.
    pub(crate) async fn command(&mut self, command: impl Display) -> Result<Reply, Failure> {
        let command = command.to_string();
        within(COMMAND, async {
            self.send(command.as_bytes()).await?;
            self.reply().await
        })
        .await
    }

    /// Sends a command of a mail and waits for the reply. Only the attempt's deadline limits the wait.
    pub(crate) async fn command_of_mail(&mut self, command: impl Display) -> Result<Reply, Failure> {
        self.send(command.to_string().as_bytes()).await?;
        self.reply().await
    }

    /// Whether the server has sent nothing that was not asked for, so that the next reply belongs to the next command.
    pub(crate) fn is_quiet(&self) -> bool {
        self.stream.buffer().is_empty()
    }

    /// Sends the content, but not its end.
    pub(crate) async fn content(&mut self, message: &[u8]) -> Result<(), Failure> {
        let mut lines = Vec::with_capacity(message.len() + 64);
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            // RFC 5321 section 4.5.2.
            if line.first() == Some(&b'.') {
                lines.push(b'.');
            }
            lines.extend_from_slice(line);
        }
        if !lines.ends_with(b"\r\n") {
            lines.extend_from_slice(b"\r\n");
        }
        self.send(&lines).await
    }

    /// Sends the end of the content and waits for the reply. Only the attempt's deadline limits the wait.
    pub(crate) async fn end_of_content(&mut self) -> Result<Reply, Failure> {
        self.send(b".\r\n").await?;
        self.reply().await
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    async fn reply(&mut self) -> Result<Reply, Failure> {
        let mut reply = Reply { code: 0, lines: Vec::new() };
        loop {
            let mut line = Vec::new();
            (&mut self.stream).take(MAX_LINE).read_until(b'\n', &mut line).await?;
            if !line.ends_with(b"\n") {
                let what =
                    if line.len() as u64 == MAX_LINE { "wrote a line without an end" } else { "hung up" };
                return Err(Failure::Lost(format!("the mail server {what}")));
            }
            let (code, rest) =
                code(&line).ok_or_else(|| Failure::Lost("the mail server wrote no reply".into()))?;
            if reply.lines.len() >= MAX_LINES || !(reply.lines.is_empty() || reply.code == code) {
                return Err(Failure::Lost("the mail server wrote a reply without an end".into()));
            }
            reply.code = code;
            let text = String::from_utf8_lossy(rest.strip_prefix(b"-").unwrap_or(rest));
            reply.lines.push(text.trim().to_owned());
            if rest.first() != Some(&b'-') {
                return reply.taken();
            }
        }
    }
}

/// The three digits at the beginning of a reply's line, and the text after them.
fn code(line: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code = std::str::from_utf8(digits).ok()?.parse().ok().filter(|code| (200..600).contains(code))?;
    (!rest.first().is_some_and(u8::is_ascii_alphanumeric)).then_some((code, rest))
}

impl Reply {
    /// The reply as the mail library's type.
    fn with_code(&self, code: u16) -> Response {
        let code = match code {
            334 => Code::new(Severity::PositiveIntermediate, Category::Unspecified3, Detail::Four),
            _ => Code::new(Severity::PositiveCompletion, Category::MailSystem, Detail::Zero),
        };
        Response::new(code, self.lines.clone())
    }
}

/// Waits for `done`, at most that long.
pub(crate) async fn within<T>(
    limit: Duration,
    done: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(limit, done).await.unwrap_or(Err(Failure::Silent))
}

impl Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("server", &self.server).finish_non_exhaustive()
    }
}
