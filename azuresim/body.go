package azuresim

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// envelope is what every server body has around its properties.
func (s *instance) envelope(sku, properties map[string]any) map[string]any {
	body := map[string]any{
		"id": s.id(), "name": s.spec.Name, "type": s.armType(), "location": s.location(),
		"properties": mergePatch(properties, s.spec.Extra),
	}
	if sku != nil {
		body["sku"] = sku
	}
	if len(s.spec.Tags) > 0 {
		body["tags"] = s.spec.Tags
	}
	return body
}

// host is the server's public name.
func (s *instance) host(suffix string) string {
	return lower(s.spec.Name) + suffix + ".postgres.database.azure.com"
}

// restorePoint is how far back the server's backups reach: a week from when
// the simulation began. It stands still, so that two readings compare equal.
func (s *instance) restorePoint() string {
	return s.born.Add(-7 * 24 * time.Hour).Format("2006-01-02T15:04:05.0000000+00:00")
}

// access is a public endpoint in the words of single and flexible servers.
func access(on bool) string {
	if on {
		return "Enabled"
	}
	return "Disabled"
}

// singleBody is a server as API 2017-12-01 shows it, field for field as
// recorded from live servers.
func singleBody(s *instance, _ string) map[string]any {
	return s.envelope(
		map[string]any{"name": "GP_Gen5_2", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 2},
		map[string]any{
			"administratorLogin": "dbadmin",
			"storageProfile": map[string]any{
				"storageMB": 51200, "backupRetentionDays": 7, "geoRedundantBackup": "Disabled", "storageAutogrow": "Enabled",
			},
			"version":                    s.version(),
			"sslEnforcement":             "Enabled",
			"minimalTlsVersion":          "TLSEnforcementDisabled",
			"userVisibleState":           s.state(),
			"fullyQualifiedDomainName":   s.host(""),
			"earliestRestoreDate":        s.restorePoint(),
			"replicationRole":            "None",
			"masterServerId":             "",
			"replicaCapacity":            5,
			"byokEnforcement":            "Disabled",
			"privateEndpointConnections": s.endpointsInBody(),
			"infrastructureEncryption":   "Disabled",
			"publicNetworkAccess":        access(s.public()),
		})
}

// flexibleBody is a server as 2022-12-01, 2024-08-01 or 2025-08-01 shows it,
// after Microsoft's examples of each.
func flexibleBody(s *instance, version string) map[string]any {
	network := map[string]any{"publicNetworkAccess": access(s.public())}
	if s.spec.Subnet != "" {
		network["delegatedSubnetResourceId"] = s.subnetID(s.spec.Subnet)
		network["privateDnsZoneArmResourceId"] = s.inGroup("Microsoft.Network",
			"privateDnsZones/"+lower(s.spec.Name)+".private.postgres.database.azure.com")
	}
	storage := map[string]any{"storageSizeGB": 128}
	properties := map[string]any{
		"fullyQualifiedDomainName": s.host(""),
		"version":                  s.version(),
		"minorVersion":             "4",
		"administratorLogin":       "dbadmin",
		"state":                    s.state(),
		"availabilityZone":         "1",
		"storage":                  storage,
		"authConfig":               map[string]any{"activeDirectoryAuth": "Disabled", "passwordAuth": "Enabled"},
		"backup": map[string]any{
			"backupRetentionDays": 7, "geoRedundantBackup": "Disabled", "earliestRestoreDate": s.restorePoint(),
		},
		"network":          network,
		"highAvailability": map[string]any{"mode": "Disabled", "state": "NotEnabled"},
		"maintenanceWindow": map[string]any{
			"customWindow": "Disabled", "dayOfWeek": 0, "startHour": 0, "startMinute": 0,
		},
	}
	if version >= "2024-08-01" {
		storage["autoGrow"], storage["tier"], storage["iops"] = "Disabled", "P10", 500
		properties["dataEncryption"] = map[string]any{"type": "SystemManaged"}
		properties["replica"] = map[string]any{"role": "Primary", "capacity": 5}
		properties["replicationRole"], properties["replicaCapacity"] = "Primary", 5
		if s.spec.Subnet == "" { // a server in a subnet has no such list, not an empty one
			properties["privateEndpointConnections"] = s.endpointsInBody()
		}
	}
	body := s.envelope(map[string]any{"name": "Standard_D2ds_v5", "tier": "GeneralPurpose"}, properties)
	if version >= "2025-08-01" {
		storage["type"] = "" // as Microsoft's example has it
		body["systemData"] = map[string]any{"createdAt": s.born.Format(time.RFC3339)}
	}
	return body
}

// citusBody is a cluster as API 2022-11-08 shows it, after Microsoft's example:
// there are no recordings of live clusters.
func citusBody(s *instance, _ string) map[string]any {
	names := []any{map[string]any{"name": s.spec.Name + "-c", "fullyQualifiedDomainName": s.host("-c")}}
	for i := range s.spec.Nodes {
		suffix := fmt.Sprintf("-w%d", i)
		names = append(names, map[string]any{"name": s.spec.Name + suffix, "fullyQualifiedDomainName": s.host(suffix)})
	}
	provisioning := "Succeeded"
	if s.busy != nil {
		provisioning = "InProgress"
	}
	body := s.envelope(nil, map[string]any{
		"provisioningState":               provisioning,
		"state":                           s.state(),
		"postgresqlVersion":               s.version(),
		"citusVersion":                    "12.1",
		"administratorLogin":              "citus",
		"preferredPrimaryZone":            "1",
		"enableHa":                        false,
		"enableShardsOnCoordinator":       s.spec.Nodes == 0,
		"coordinatorServerEdition":        "GeneralPurpose",
		"coordinatorStorageQuotaInMb":     524288,
		"coordinatorVCores":               4,
		"coordinatorEnablePublicIpAccess": s.public(),
		"nodeServerEdition":               "MemoryOptimized",
		"nodeCount":                       s.spec.Nodes,
		"nodeStorageQuotaInMb":            524288,
		"nodeVCores":                      8,
		"nodeEnablePublicIpAccess":        s.spec.NodePublicAccess == Enabled,
		"serverNames":                     names,
		"readReplicas":                    []any{},
		"earliestRestoreTime":             s.restorePoint(),
		"privateEndpointConnections":      s.endpointsInBody(),
		"maintenanceWindow": map[string]any{
			"customWindow": "Disabled", "dayOfWeek": 0, "startHour": 0, "startMinute": 0,
		},
	})
	body["systemData"] = s.systemData()
	return body
}

func (s *instance) systemData() map[string]any {
	at := s.born.Format("2006-01-02T15:04:05.0000000Z")
	return map[string]any{
		"createdBy": "dbadmin@sim.onmicrosoft.com", "createdByType": "User", "createdAt": at,
		"lastModifiedBy": "dbadmin@sim.onmicrosoft.com", "lastModifiedByType": "User", "lastModifiedAt": at,
	}
}

// mergePatch applies a JSON merge patch (RFC 7386) to an object in place.
func mergePatch(target, patch map[string]any) map[string]any {
	for k, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(target, k)
		case map[string]any:
			below, isObject := target[k].(map[string]any)
			if !isObject {
				below = map[string]any{}
			}
			target[k] = mergePatch(below, v)
		default:
			target[k] = v
		}
	}
	return target
}

// steadyGUID is a GUID that follows from a name, for ids that Azure would have
// drawn at random once and kept.
func steadyGUID(name string) string {
	h := sha256.Sum256([]byte(name))
	h[6], h[8] = h[6]&0x0f|0x50, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
