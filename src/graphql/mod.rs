

pub mod caller;
