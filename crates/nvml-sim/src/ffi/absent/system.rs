//! The node's units, events and firmware: not there.
#![expect(unsafe_code, reason = "exported symbols")]

absent! {
    nvmlEventSetGetContextCount_v1
    nvmlEventSetGetContextData_v1
    nvmlEventSetGetContextInfo_v1
    nvmlEventSetGetGpuOperationalEventContextLegacyXid_v1
    nvmlEventSetRegisterGpuOperationalEvents_v1
    nvmlEventSetWait_v3
    nvmlGetBlacklistDeviceCount
    nvmlGetBlacklistDeviceInfoByIndex
    nvmlGetExcludedDeviceCount
    nvmlGetExcludedDeviceInfoByIndex
    nvmlGpmMetricsGet
    nvmlGpmMigSampleGet
    nvmlGpmQueryDeviceSupport
    nvmlGpmQueryIfStreamingEnabled
    nvmlGpmSampleAlloc
    nvmlGpmSampleFree
    nvmlGpmSampleGet
    nvmlGpmSetStreamingEnabled
    nvmlSystemEventSetCreate
    nvmlSystemEventSetFree
    nvmlSystemEventSetWait
    nvmlSystemGetCPER_v1
    nvmlSystemGetConfComputeCapabilities
    nvmlSystemGetConfComputeGpusReadyState
    nvmlSystemGetConfComputeKeyRotationThresholdInfo
    nvmlSystemGetConfComputeSettings
    nvmlSystemGetConfComputeState
    nvmlSystemGetDriverBranch
    nvmlSystemGetHicVersion
    nvmlSystemRegisterEvents
    nvmlSystemSetConfComputeGpusReadyState
    nvmlSystemSetConfComputeKeyRotationThresholdInfo
    nvmlUnitGetCount
    nvmlUnitGetDevices
    nvmlUnitGetHandleByIndex
    nvmlUnitGetLedState
    nvmlUnitGetPsuInfo
    nvmlUnitGetUnitInfo
    nvmlUnitSetLedState
}
