//! The channels of the two deployments: the sections of their settings, the notifiers that these choose, and what takes the
//! answers.
//!
//! | file | holds |
//! |---|---|
//! | `given`, `file`, `secret` | the sections as they are written |
//! | `pushes`, `phones`, `webhooks`, `limits` | check them |
//! | `outlets`, `carriers` | choose the notifiers |

mod carriers;
mod failure;
mod file;
mod given;
mod limits;
mod outlets;
mod phones;
mod pushes;
mod secret;
mod webhooks;

pub use carriers::add_channels;
pub use failure::Failure;
pub use file::{
    FileCommand, FileGateway, FileLimits, FileNtfy, FilePhone, FilePushover, FileSlackApp, FileTelegram,
    FileTwilio, FileWebhook, FileWindow,
};
pub use given::{ChannelSettings, GivenChannels, told};
pub use outlets::Outlets;
pub use phones::PhoneConfig;
pub use pushes::OutletsConfig;
pub use secret::SecretText;
