-- +goose Up
-- Devices of tenants that are managed there now.
CREATE TABLE intune_devices (
    device_id   TEXT COLLATE "C" PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    tenant      TEXT COLLATE "C" NOT NULL REFERENCES intune_tenants (id),
    digest      TEXT COLLATE "C" NOT NULL, -- of what the tenant told of it last
    read_at BIGINT NOT NULL, -- microseconds: when its assignments were read last, whether or not that was complete; 0: never
    doc         TEXT COLLATE "C" NOT NULL  -- JSON
);
CREATE INDEX intune_devices_tenant ON intune_devices (tenant, device_id);
CREATE INDEX intune_devices_read ON intune_devices (tenant, read_at, device_id);

-- +goose Down
DROP TABLE intune_devices;
