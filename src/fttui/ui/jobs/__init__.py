"""Jobs as the panes know them: fed by the watcher, filtered, ranked, told in words."""
