package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

type versionCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints the version that the build recorded.
func (v *versionCommand) Run(out io.Writer) error {
	version, revision := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				revision = setting.Value
			}
		}
	}
	if v.JSON {
		return printJSON(out, map[string]string{"version": version, "revision": revision, "go": runtime.Version()})
	}
	line := "syncpayloads " + version
	if revision != "" {
		line += " " + revision
	}
	fmt.Fprintln(out, line, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	return nil
}
