//! A screen with a chart: the picture is drawn here, beside the runtime's thread, and uploaded with the screen's words as its caption.

use std::sync::Arc;

use constella_core::bot::kit::chart::Chart;
use constella_core::io::{BotError, BotReply};
use reqwest::multipart::{Form, Part};
use serde_json::json;

use super::super::error::foreign;
use super::super::fields::Fields;
use super::super::render::Captioned;
use super::{Telegram, done};
use crate::chart::{SIZE, render};

/// What is sent with a method.
pub(super) enum Body {
    Json(Vec<u8>),
    Form(Form),
}

impl Telegram {
    /// `sendPhoto`.
    pub(super) async fn send_photo(
        &self,
        chat: i64,
        thread: Option<i64>,
        captioned: Captioned<'_>,
    ) -> Result<BotReply, BotError> {
        let picture = self.picture(captioned.chart).await?;
        let mut form = Form::new()
            .text("chat_id", chat.to_string())
            .text("caption", captioned.html)
            .text("parse_mode", "HTML")
            .part("photo", picture);
        if let Some(keyboard) = captioned.keyboard {
            form = form.text("reply_markup", written(&keyboard)?);
        }
        if let Some(thread) = thread {
            form = form.text("message_thread_id", thread.to_string());
        }
        let sent = self.ask("sendPhoto", &self.rest, Body::Form(form)).await?;
        let message = Fields::of(&sent).and_then(|sent| sent.whole("message_id")).ok_or_else(foreign)?;
        Ok(BotReply::Sent { message })
    }

    /// `editMessageMedia`: a text or a picture becomes this picture.
    pub(super) async fn edit_photo(
        &self,
        chat: i64,
        message: i64,
        captioned: Captioned<'_>,
    ) -> Result<BotReply, BotError> {
        let picture = self.picture(captioned.chart).await?;
        let attached = format!("attach://{ATTACHED}");
        let media = json!({ "type": "photo", "media": attached, "caption": captioned.html, "parse_mode": "HTML" });
        let mut form = Form::new()
            .text("chat_id", chat.to_string())
            .text("message_id", message.to_string())
            .text("media", media.to_string())
            .part(ATTACHED, picture);
        if let Some(keyboard) = captioned.keyboard {
            form = form.text("reply_markup", written(&keyboard)?);
        }
        done(self.ask("editMessageMedia", &self.rest, Body::Form(form)).await)
    }

    /// One picture is drawn at a time, on a thread that nothing else waits for. Whoever gave up waiting does not let a second one begin meanwhile.
    async fn picture(&self, chart: &Arc<Chart>) -> Result<Part, BotError> {
        let failed = |why: String| BotError::Refused(format!("the chart cannot be drawn: {why}"));
        let turn = Arc::clone(&self.drawing).acquire_owned().await.map_err(|closed| failed(closed.to_string()))?;
        let chart = Arc::clone(chart);
        let drawn = tokio::task::spawn_blocking(move || {
            let picture = render(&chart, SIZE);
            drop(turn);
            picture
        });
        let picture =
            drawn.await.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
        let part = Part::bytes(picture).file_name("chart.png").mime_str("image/png");
        part.map_err(|error| failed(error.to_string()))
    }
}

fn written(keyboard: &impl serde::Serialize) -> Result<String, BotError> {
    serde_json::to_string(keyboard).map_err(|_| BotError::Refused("the buttons cannot be written as JSON".to_owned()))
}

/// The name of the picture's part in the upload.
const ATTACHED: &str = "chart";
