//! Memory beyond its size, and the errors in it: not kept.
#![expect(unsafe_code, reason = "exported symbols")]

absent! {
    nvmlDeviceClearEccErrorCounts
    nvmlDeviceGetBBXTimeData_v1
    nvmlDeviceGetBankRemapperStatus_v1
    nvmlDeviceGetConfComputeProtectedMemoryUsage
    nvmlDeviceGetDefaultEccMode
    nvmlDeviceGetDetailedEccErrors
    nvmlDeviceGetEccMode
    nvmlDeviceGetInforomConfigurationChecksum
    nvmlDeviceGetInforomImageVersion
    nvmlDeviceGetInforomVersion
    nvmlDeviceGetLastBBXFlushTime
    nvmlDeviceGetMemoryAffinity
    nvmlDeviceGetMemoryBusWidth
    nvmlDeviceGetMemoryLimits_v1
    nvmlDeviceGetRemappedRows
    nvmlDeviceGetRemappedRows_v2
    nvmlDeviceGetRepairStatus
    nvmlDeviceGetRetiredPages
    nvmlDeviceGetRetiredPagesPendingStatus
    nvmlDeviceGetRetiredPages_v2
    nvmlDeviceGetRowRemapperHistogram
    nvmlDeviceGetSramEccErrorStatus
    nvmlDeviceGetSramUniqueUncorrectedEccErrorCounts
    nvmlDeviceGetTotalEccErrors
    nvmlDeviceGetUnrepairableMemoryFlag_v1
    nvmlDeviceSetEccMode
    nvmlDeviceSetMemoryLimits_v1
    nvmlDeviceValidateInforom
}
