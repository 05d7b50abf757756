//! Free ports.

use std::net::{Ipv4Addr, TcpListener};

use crate::{Error, Result};

/// One port for each thing that listens.
#[derive(Debug)]
pub struct Ports {
    pub etcd: u16,
    pub etcd_peer: u16,
    pub api_server: u16,
    pub controller_manager: u16,
    pub scheduler: u16,
    pub kwok: u16,
}

impl Ports {
    /// Takes ports that nobody uses. They are all held until the last one is found, so they differ;
    /// between now and their use another process may take one.
    pub fn take() -> Result<Self> {
        let held: [TcpListener; 6] = [hold()?, hold()?, hold()?, hold()?, hold()?, hold()?];
        let [
            etcd,
            etcd_peer,
            api_server,
            controller_manager,
            scheduler,
            kwok,
        ] = held.map(port_of);
        Ok(Self {
            etcd: etcd?,
            etcd_peer: etcd_peer?,
            api_server: api_server?,
            controller_manager: controller_manager?,
            scheduler: scheduler?,
            kwok: kwok?,
        })
    }
}

fn hold() -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::file("bind", "127.0.0.1:0"))
}

fn port_of(listener: TcpListener) -> Result<u16> {
    let address = listener.local_addr();
    Ok(address
        .map_err(Error::file("look up", "127.0.0.1:0"))?
        .port())
}
