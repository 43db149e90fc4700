package simulator

// itemRow is a policy, an app or an app configuration as it is sent.
type itemRow struct {
	Type      string  `json:"@odata.type,omitempty"`
	ID        string  `json:"id"`
	Display   string  `json:"displayName,omitempty"`
	Name      string  `json:"name,omitempty"` // of configurationPolicies, which have no displayName
	Comment   *string `json:"description"`
	Created   string  `json:"createdDateTime"`
	Modified  string  `json:"lastModifiedDateTime"`
	Version   int     `json:"version,omitempty"`
	Platforms string  `json:"platforms,omitempty"`
	Using     string  `json:"technologies,omitempty"`
	Settings  int     `json:"settingCount,omitempty"`
	Assigned  *bool   `json:"isAssigned,omitempty"`
	Publisher string  `json:"publisher,omitempty"`

	Tags []string `json:"roleScopeTagIds"`
}

// row is an item as lists and single answers have it.
func (i *Item) row() itemRow {
	row := itemRow{Type: i.odata, ID: i.ID, Display: i.name, Created: instant(i.created),
		Modified: instant(i.modified), Tags: []string{"0"}}
	assigned := i.all || len(i.devices)+len(i.users) > 0
	switch i.Type {
	case ConfigurationPolicy:
		row.Display, row.Name, row.Using, row.Settings = "", i.name, "mdm", 1
		row.Platforms = string(i.platform)
		row.Assigned = &assigned
	case Application:
		row.Assigned, row.Publisher = &assigned, "Contoso"
	default:
		row.Version = 1
	}
	return row
}

// itemPaths and itemTypes are where items are, and of which type.
var (
	itemPaths = map[ItemType]string{
		Application:         "deviceAppManagement/mobileApps",
		DeviceConfiguration: "deviceManagement/deviceConfigurations",
		ConfigurationPolicy: "deviceManagement/configurationPolicies",
		AppConfiguration:    "deviceAppManagement/mobileAppConfigurations",
	}
	itemTypes = map[ItemType]string{
		Application: "mobileApp", DeviceConfiguration: "deviceConfiguration",
		ConfigurationPolicy: "deviceManagementConfigurationPolicy",
		AppConfiguration:    "managedDeviceMobileAppConfiguration",
	}
)

// listItems serves a list of items. Their $filter has no effect.
func listItems(kind ItemType) func(c *call) (answer, *refusal) {
	return func(c *call) (answer, *refusal) {
		var rows [][]byte
		for _, i := range c.tenant.items {
			if i.Type != kind {
				continue
			}
			row, missing, ok := pick(i.row(), c.selected())
			if !ok {
				return answer{}, noProperty(missing, itemTypes[kind])
			}
			rows = append(rows, row)
		}
		return c.list(itemPaths[kind], len(rows), nil,
			func(b []byte, i int) []byte { return append(b, rows[i]...) })
	}
}

func oneItem(kind ItemType) func(c *call) (answer, *refusal) {
	return func(c *call) (answer, *refusal) {
		i := c.tenant.item(c.keys[0])
		if i == nil || i.Type != kind {
			return answer{}, notFound("Resource not found.")
		}
		row, missing, ok := pick(i.row(), c.selected())
		if !ok {
			return answer{}, noProperty(missing, itemTypes[kind])
		}
		b := append([]byte(nil), `{"@odata.context":`...)
		b = appendText(b, c.in.base+"/beta/$metadata#"+itemPaths[kind]+"/$entity")
		return jsonAnswer(append(append(b, ','), row[1:]...)), nil
	}
}

// listOrganizations serves GET organization, which has one.
func listOrganizations(c *call) (answer, *refusal) {
	row, missing, ok := pick(map[string]any{"id": c.tenant.ID, "displayName": c.tenant.Name,
		"tenantType": "AAD", "countryLetterCode": "DE", "mobileDeviceManagementAuthority": "intune",
		"verifiedDomains": []map[string]any{{"name": c.tenant.Domain, "type": "Managed",
			"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": true,
			"isInitial": true}}}, c.selected())
	if !ok {
		return answer{}, noProperty(missing, "organization")
	}
	return c.list("organization", 1, nil, func(b []byte, _ int) []byte { return append(b, row...) })
}
