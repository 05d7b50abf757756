//! What NVML has and the simulation has not: each function answers `NOT_SUPPORTED`, which clients
//! print as N/A, and leaves its outputs as they are.
#![expect(unsafe_code, reason = "exported symbols")]

use crate::Code;

/// The arguments are not declared: a caller in C puts them into registers or onto its own stack
/// and takes them back itself, whether the function looks at them or not.
macro_rules! absent {
    ($($name:ident)*) => {
        export! { $(fn $name(_) { Err(Code::NotSupported) })* }
    };
}

absent! {
    nvmlInternalGetExportTable
    nvmlDeviceGetBrand
    nvmlDeviceGetSerial
    nvmlDeviceGetBoardPartNumber
    nvmlDeviceGetPciInfoExt
    nvmlDeviceGetBAR1MemoryInfo
    nvmlDeviceGetUtilizationRates
    nvmlDeviceGetTemperature
    nvmlDeviceGetPowerUsage
    nvmlDeviceGetPowerManagementLimit
    nvmlDeviceGetClockInfo
    nvmlDeviceGetPerformanceState
    nvmlDeviceGetPersistenceMode
    nvmlDeviceSetPersistenceMode
    nvmlDeviceGetDisplayActive
    nvmlDeviceGetDisplayMode
    nvmlDeviceGetEccMode
    nvmlDeviceGetTotalEccErrors
    nvmlDeviceGetFanSpeed
    nvmlDeviceGetVirtualizationMode
    nvmlDeviceValidateInforom
    nvmlDeviceGetTopologyCommonAncestor
    nvmlDeviceGetNvLinkState
    nvmlDeviceGetP2PStatus
    nvmlDeviceGetNumaNodeId
    nvmlDeviceGetGpuFabricInfo
    nvmlDeviceGetGpuFabricInfoV
    nvmlDeviceGetProcessUtilization
    nvmlDeviceGetFieldValues
    nvmlGpmSampleAlloc
    nvmlGpmSampleFree
    nvmlGpmSampleGet
    nvmlGpmMigSampleGet
    nvmlGpmMetricsGet
    nvmlGpmQueryDeviceSupport
}
