package console

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
)

// uploadLimit is the most bytes of a form with a file: what the API takes of a body. It takes less
// of a profile, and says so itself.
const uploadLimit = 8 << 20

const tooLargeFile = "That file is too large: a profile has at most 4 MiB."

// uploadPage shows what is in a file before anything becomes of it.
type uploadPage struct {
	Trail      []link
	Name       string // of the policy whose file it replaces; empty: it becomes a new one
	Action     string
	Back       string
	File       string // in base64, so that the form carries it to the next step
	FileName   string
	Inspection *inspection
	Form       form
	Editor     *editor // of a new policy's assignments; nil: the visitor may make none
	Message    string  // why nothing can become of it; empty: it can be confirmed
}

// readUpload reads the file that a form brings: one that was chosen, or one that the step before
// carried on.
func (v *visit) readUpload() (file []byte, name string, confirmed bool, err error) {
	if err := v.r.ParseMultipartForm(uploadLimit); err != nil {
		return nil, "", false, badForm(err)
	}
	if carried := v.r.PostForm.Get("carried"); carried != "" {
		file, err = base64.RawURLEncoding.DecodeString(carried)
		if err != nil {
			return nil, "", false, badRequest("The file was damaged on its way. Choose it again.")
		}
		return file, v.r.PostForm.Get("fileName"), true, nil
	}
	opened, head, err := v.r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) {
		return nil, "", false, badRequest("Choose a file first.")
	}
	if err != nil {
		return nil, "", false, badForm(err)
	}
	defer opened.Close()
	file, err = io.ReadAll(opened)
	if err == nil && len(file) == 0 {
		err = badRequest("That file is empty, or none was chosen.")
	}
	return file, head.Filename, false, err
}

// refusedFile is an error that is shown where the file was chosen.
func refusedFile(err error) (status int, message string, ok bool) {
	var told *refusal
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &told):
		return told.status, told.message, true
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, tooLargeFile, true
	}
	answer, ok := near(err)
	if !ok {
		return 0, "", false
	}
	message = strings.TrimPrefix(answer.Message, "Property 'payload': ")
	if answer.Status == http.StatusRequestEntityTooLarge {
		message = tooLargeFile
	}
	return answer.Status, "This file cannot be used: " + message, true
}

// askForFile shows the form for the file of a new policy.
func (v *visit) askForFile(status int, message string) error {
	return v.renderStatus(status, "catalog_new", "Add a policy",
		newPage{Collection: policies, Upload: true, Files: v.filesOfPolicies(),
			Form: form{Message: message}})
}

// fileChoice is what a field for a file says of those that it takes.
type fileChoice struct {
	Accept string // as HTML has it
	Hint   string
}

// filesOfPolicies are the files of which policies are made.
func (v *visit) filesOfPolicies() fileChoice {
	var types, hints []string
	for _, f := range v.config.Forms.In(policies.of) {
		for _, t := range f.FileTypes {
			if !slices.Contains(types, t) {
				types = append(types, t)
			}
		}
		if f.FileHint != "" && !slices.Contains(hints, f.FileHint) {
			hints = append(hints, f.FileHint)
		}
	}
	return fileChoice{strings.Join(types, ","), strings.Join(hints, " ")}
}

// upload makes a policy of a file: first it shows what is inside, then, when that is confirmed, it
// is added.
func (v *visit) upload() error {
	p, confirmed, err := v.inspectUpload()
	if err != nil {
		status, message, ok := refusedFile(err)
		if !ok {
			return err
		}
		return v.askForFile(status, message)
	}
	p.Trail = []link{{"/console/catalog", "Catalog"}, {policies.Address(), policies.Title()}}
	p.Action, p.Back = policies.Address(), policies.Address()+"/new"
	p.Form = v.newPolicyForm(p)
	chosen := []assignment{}
	if confirmed {
		p.Form = p.Form.with(v.r.PostForm)
		chosen = policies.chosen(v.r.PostForm)
	}
	if v.may(policies.assign) {
		if p.Editor, err = v.editor(chosen); err != nil {
			return err
		}
		if err := v.offer(&p.Editor.Picker, v.r.PostForm.Get("groups")); err != nil {
			return err
		}
	}
	if !confirmed || v.r.PostForm.Has("find") {
		return v.render("catalog_upload", "Add "+p.FileName, p)
	}
	return v.addPolicy(p, chosen)
}

// inspectUpload reads the file and has the API look into it.
func (v *visit) inspectUpload() (p *uploadPage, confirmed bool, err error) {
	file, name, confirmed, err := v.readUpload()
	if err != nil {
		return nil, false, err
	}
	found, err := v.inspect(file)
	if err != nil {
		return nil, false, err
	}
	return &uploadPage{File: base64.RawURLEncoding.EncodeToString(file), FileName: name,
		Inspection: found}, confirmed, nil
}

// newPolicyForm is filled in with what the file says of itself.
func (v *visit) newPolicyForm(p *uploadPage) form {
	name, kind := nameField, formField{Name: "@odata.type", Label: "For", Control: "choice",
		Required: true, Hint: "It never changes."}
	for _, f := range v.config.Forms.In(policies.of) {
		if slices.Contains(p.Inspection.Types, graphType+f.Type) {
			kind.Options = append(kind.Options, option{graphType + f.Type, f.For})
		}
	}
	if len(p.Inspection.Types) > 0 {
		kind.Value = p.Inspection.Types[0]
	}
	if name.Value = p.Inspection.Name; name.Value == "" {
		name.Value = strings.TrimSuffix(p.FileName, path.Ext(p.FileName))
	}
	return form{Fields: []formField{name, descriptionField, kind}}
}

// addPolicy adds what was confirmed, and assigns it.
func (v *visit) addPolicy(p *uploadPage, chosen []assignment) error {
	body := p.Form.body()
	body["payload"], body["payloadFileName"] = p.File, p.FileName
	odataType, _ := body["@odata.type"].(string)
	id, err := v.create(policies, odataType, body)
	if err != nil {
		refused, ok := near(err)
		if !ok {
			return err
		}
		p.Form.refuse(refused.Message)
		return v.renderStatus(refused.Status, "catalog_upload", "Add "+p.FileName, p)
	}
	if len(chosen) == 0 {
		v.redirect(policies.item(id) + "?notice=created#assignments")
		return nil
	}
	if err := v.setAssignments(policies, id, chosen); err != nil {
		refused, ok := near(err)
		if !ok {
			return err
		}
		return v.showItem(policies, id, itemAnswer{status: refused.Status, chosen: chosen,
			assignMessage: "The policy is in the catalog now, but it is assigned to nobody: " +
				refused.Message})
	}
	v.redirect(policies.item(id) + "?notice=created")
	return nil
}

// replaceFile gives a policy a new version, in the same two steps.
func (v *visit) replaceFile() error {
	id := v.r.PathValue("id")
	i, err := v.catalogItem(policies, id)
	if err != nil {
		return err
	}
	p, confirmed, err := v.inspectUpload()
	if err != nil {
		status, message, ok := refusedFile(err)
		if !ok {
			return err
		}
		return v.showItem(policies, id, itemAnswer{status: status, fileMessage: message})
	}
	p.Name, p.Back, p.Action = i.Name, policies.item(i.ID), policies.item(i.ID)+"/file"
	p.Trail = []link{{"/console/catalog", "Catalog"}, {policies.Address(), policies.Title()},
		{p.Back, i.Name}}
	if !confirmed {
		if file, err := base64.RawURLEncoding.DecodeString(p.File); err == nil &&
			bytes.Equal(file, i.File) {
			p.Message = "This is the file that the policy has already."
		}
		return v.render("catalog_upload", "Replace the file of "+i.Name, p)
	}
	if err := v.call(http.MethodPatch, policies.resource(id), nil, nil,
		map[string]any{"payload": p.File, "payloadFileName": p.FileName}, nil); err != nil {
		status, message, ok := refusedFile(err)
		if !ok {
			return err
		}
		p.Message = message
		return v.renderStatus(status, "catalog_upload", "Replace the file of "+i.Name, p)
	}
	v.redirect(p.Back + "?notice=replaced")
	return nil
}
