//! How the rest of the process asks the writer to change the city.

use tokio::sync::{mpsc, oneshot};

use crate::twin::{
    model::Kind,
    snapshot::{CityFile, ImportCount},
};

/// Why an operation was not done.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum OperationError {
    /// This instance is a replica; the writer, where known, is at that address.
    #[error("this instance is a replica; the writer is at {}", writer.as_deref().unwrap_or("an address not known yet"))]
    NotWriter { writer: Option<String> },
    /// The city of the file is another one.
    #[error("the file describes the city {theirs:?}, this is {ours:?}")]
    OtherCity { ours: String, theirs: String },
    /// It may have been done, but is not known to be in the store.
    #[error("the store did not confirm: {0}")]
    Unconfirmed(String),
    /// The process is going down.
    #[error("the server is shutting down")]
    Closing,
}

/// What an import did, by kind in the order of [`Kind::ALL`].
pub type ImportReport = [ImportCount; 10];

/// One thing to do, with where to answer once the flush that holds it is in the store.
#[derive(Debug)]
pub enum Command {
    Remove { kind: Kind, district: Option<String>, id: String, done: oneshot::Sender<Result<bool, OperationError>> },
    Import { file: CityFile, done: oneshot::Sender<Result<ImportReport, OperationError>> },
}

/// Asks the writer; any number of clones.
#[derive(Clone, Debug)]
pub struct Operator {
    commands: mpsc::Sender<Command>,
}

impl Operator {
    /// An operator and where its commands arrive. Eight may wait: they are an operator's, and each is answered.
    pub fn channel() -> (Self, mpsc::Receiver<Command>) {
        let (commands, receiver) = mpsc::channel(8);
        (Self { commands }, receiver)
    }

    /// Takes an entity out of the city; `false` where there was none. Answers when the store has it.
    pub async fn remove(&self, kind: Kind, district: Option<String>, id: String) -> Result<bool, OperationError> {
        let (done, answer) = oneshot::channel();
        self.ask(Command::Remove { kind, district, id, done }, answer).await
    }

    /// Replaces the city's model. Answers when the store has it.
    pub async fn import(&self, file: CityFile) -> Result<ImportReport, OperationError> {
        let (done, answer) = oneshot::channel();
        self.ask(Command::Import { file, done }, answer).await
    }

    async fn ask<T>(
        &self,
        command: Command,
        answer: oneshot::Receiver<Result<T, OperationError>>,
    ) -> Result<T, OperationError> {
        self.commands.send(command).await.map_err(|_| OperationError::Closing)?;
        answer.await.map_err(|_| OperationError::Closing)?
    }
}
