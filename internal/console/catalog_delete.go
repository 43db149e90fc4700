package console

import (
	"cmp"
	"net/http"
)

// deletionPage is the page that asks before something is deleted.
type deletionPage struct {
	Name, What, Consequence string
	Trail                   []link
	Back, Action            string
	Message                 string // why it was refused; empty: it was not
}

// deleteItemPage asks.
func (v *visit) deleteItemPage() error { return v.askToDelete(http.StatusOK, "") }

func (v *visit) askToDelete(status int, message string) error {
	c, err := v.collection()
	if err != nil {
		return err
	}
	i, err := v.catalogItem(c, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	assigned, err := v.assignments(c, i.ID)
	if err != nil {
		return err
	}
	consequence := "It is assigned to " + assignedTo(assigned) + ". "
	if len(assigned) > 0 {
		consequence += "Devices that have it lose it. "
	}
	return v.renderStatus(status, "catalog_delete", "Delete "+i.Name,
		deletionPage{Name: i.Name, What: c.One(), Consequence: consequence,
			Message: message,
			Trail: []link{{"/console/catalog", "Catalog"}, {c.Address(), c.Title()},
				{c.item(i.ID), cmp.Or(i.Name, i.ID)}},
			Back: c.item(i.ID), Action: c.item(i.ID) + "/delete"})
}

// deleteItem deletes.
func (v *visit) deleteItem() error {
	c, err := v.collection()
	if err != nil {
		return err
	}
	if err := v.call(http.MethodDelete, c.resource(v.r.PathValue("id")), nil, nil, nil,
		nil); err != nil {
		refused, ok := near(err)
		if !ok || refused.Status == http.StatusNotFound {
			return err
		}
		return v.askToDelete(refused.Status, refused.Message)
	}
	v.redirect(c.Address() + "?notice=deleted")
	return nil
}
