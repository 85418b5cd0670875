import {
  Autocomplete,
  Button,
  Group,
  Modal,
  Select,
  Stack,
  TagsInput,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../../api/client.ts";
import { repositoriesQuery } from "../../api/queries.ts";
import { QueryError } from "../../ui/query-error.tsx";
import { TASK_CLASSES } from "./task-search.ts";

export interface NewTaskModalProps {
  readonly opened: boolean;
  readonly onClose: () => void;
}

const EMPTY = { repositoryPath: "", title: "", body: "", labels: [] as string[], dependsOn: [] as string[] };

/** Adds a task for a local git repository and opens it. */
export function NewTaskModal({ opened, onClose }: NewTaskModalProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const repositories = useQuery({ ...repositoriesQuery(), enabled: opened }).data?.items ?? [];
  const [form, setForm] = useState(EMPTY);
  const [taskClass, setTaskClass] = useState<string | null>(null);
  const path = form.repositoryPath === "" ? (repositories[0]?.path ?? "") : form.repositoryPath;
  const change = (part: Partial<typeof EMPTY>) => setForm((old) => ({ ...old, ...part }));
  const create = useMutation({
    mutationFn: () => {
      const known = TASK_CLASSES.find((one) => one === taskClass);
      return call("createTask", {
        body: { ...form, repositoryPath: path, ...(known === undefined ? {} : { class: known }) },
      });
    },
    onSuccess: async (task) => {
      void client.invalidateQueries({ queryKey: ["tasks"] });
      setForm(EMPTY);
      onClose();
      await navigate({ to: "/tasks/$taskId", params: { taskId: task.id } });
    },
  });
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t("tasks.new")}
      size="lg"
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <Stack gap="sm">
          <TextInput
            label={t("tasks.form.title")}
            required
            maxLength={300}
            data-autofocus
            value={form.title}
            onChange={(event) => change({ title: event.currentTarget.value })}
          />
          <Textarea
            label={t("tasks.form.body")}
            description={t("tasks.form.bodyHint")}
            autosize
            minRows={4}
            maxRows={14}
            value={form.body}
            onChange={(event) => change({ body: event.currentTarget.value })}
          />
          <Autocomplete
            size="xs"
            label={t("tasks.form.repository")}
            description={t("tasks.form.repositoryHint")}
            required
            data={repositories.map((repository) => repository.path)}
            value={path}
            onChange={(repositoryPath) => change({ repositoryPath })}
          />
          <Group grow align="flex-start">
            <Select
              label={t("tasks.form.class")}
              placeholder={t("tasks.form.classDefault")}
              data={TASK_CLASSES.map((one) => ({ value: one, label: t(`common.class.${one}`) }))}
              value={taskClass}
              onChange={setTaskClass}
              clearable
            />
            <TagsInput
              size="xs"
              label={t("tasks.form.labels")}
              value={form.labels}
              onChange={(labels) => change({ labels })}
            />
            <TagsInput
              size="xs"
              label={t("tasks.form.dependsOn")}
              placeholder="T12"
              value={form.dependsOn}
              onChange={(dependsOn) => change({ dependsOn: dependsOn.map((id) => id.toUpperCase()) })}
            />
          </Group>
          {create.isError ? <QueryError error={create.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button
              type="submit"
              loading={create.isPending}
              disabled={form.title.trim() === "" || path === ""}
            >
              {t("tasks.form.create")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
