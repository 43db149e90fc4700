package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/syncpayloads/syncpayloads/internal/server"
)

type versionCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints the version that the build recorded.
func (v *versionCommand) Run(out io.Writer) error {
	version, revision := server.Version()
	if v.JSON {
		return printJSON(out, map[string]string{"version": version, "revision": revision,
			"go": runtime.Version()})
	}
	line := "syncpayloads " + version
	if revision != "" {
		line += " " + revision
	}
	fmt.Fprintln(out, line, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	return nil
}
