//! MIG mode: what it is, and what became of a change.

use crds::gpu_node::{MigMode, MigModeStatus};
use nvml_wrapper::Device;

use super::call::{Answer, if_supported, wrapped};
use crate::{Code, Error};

/// The mode in effect and the mode after a reset.
pub fn read(device: &Device<'_>) -> Answer<MigModeStatus> {
    let read = if_supported(wrapped("nvmlDeviceGetMigMode", device.mig_mode()))?;
    let mode = |value: u32| {
        if value == 0 {
            MigMode::Disabled
        } else {
            MigMode::Enabled
        }
    };
    Ok(match read {
        None => MigModeStatus {
            current: MigMode::NotSupported,
            pending: MigMode::NotSupported,
        },
        Some(read) => MigModeStatus {
            current: mode(read.current),
            pending: mode(read.pending),
        },
    })
}

/// Whether a change that NVML accepted is in effect. `status` is its activation status: the call succeeds even where
/// the change has to wait, and says only there why (`nvml.h`, `nvmlDeviceSetMigMode`).
pub fn activated(
    gpu: &str,
    enabled: bool,
    status: Code,
    after: MigModeStatus,
) -> Result<(), Error> {
    let wanted = if enabled {
        MigMode::Enabled
    } else {
        MigMode::Disabled
    };
    if status == Code::GPU_IS_LOST {
        return Err(Error::Lost {
            gpu: format!("GPU {gpu}"),
        });
    }
    let why = if status != Code::SUCCESS {
        format!("NVML answered {status}")
    } else if (after.current, after.pending) != (wanted, wanted) {
        format!(
            "NVML reports {:?} now, and {:?} after a reset",
            after.current, after.pending
        )
    } else {
        return Ok(());
    };
    Err(Error::ResetNeeded {
        gpu: gpu.to_owned(),
        enabled,
        why,
    })
}

#[cfg(test)]
mod tests {
    use crds::gpu_node::MigMode::{Disabled, Enabled};
    use crds::gpu_node::{MigMode, MigModeStatus};

    use super::activated;
    use crate::{Code, Error};

    fn after(status: u32, current: MigMode, pending: MigMode) -> Result<(), Error> {
        activated(
            "GPU-1",
            true,
            Code(status),
            MigModeStatus { current, pending },
        )
    }

    #[test]
    fn a_mode_is_on_only_if_it_is_current_and_pending() {
        assert_eq!(after(0, Enabled, Enabled), Ok(()));
        for (current, pending) in [
            (Disabled, Enabled),
            (Enabled, Disabled),
            (Disabled, Disabled),
        ] {
            let answer = after(0, current, pending);
            assert!(
                matches!(answer, Err(Error::ResetNeeded { .. })),
                "{current:?} {pending:?}"
            );
        }
    }

    #[test]
    fn an_activation_status_is_a_refusal_whatever_the_mode_says() {
        for status in [16, 19, 999] {
            let answer = after(status, Enabled, Enabled);
            assert!(matches!(answer, Err(Error::ResetNeeded { .. })), "{status}");
        }
        assert!(matches!(
            after(15, Enabled, Enabled),
            Err(Error::Lost { .. })
        ));
    }
}
