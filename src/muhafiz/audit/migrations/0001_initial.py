from django.db import migrations, models

from muhafiz.audit.guards import plant_tree, raise_guards


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LogEntry",
            fields=[
                ("index", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_index=True)),
                ("actor", models.TextField(db_index=True)),
                ("name", models.TextField()),
                ("action", models.TextField(db_index=True)),
                ("subject", models.TextField(db_index=True)),
                ("details", models.TextField()),
            ],
            options={"db_table": "audit_entry"},
        ),
        migrations.CreateModel(
            name="SignedHead",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("size", models.BigIntegerField(db_index=True)),
                ("root", models.BinaryField()),
                ("at", models.DateTimeField()),
                ("public_key", models.BinaryField()),
                ("signature", models.BinaryField()),
            ],
            options={"db_table": "audit_signed_head"},
        ),
        migrations.CreateModel(
            name="Tree",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("log", models.UUIDField()),
                ("size", models.BigIntegerField()),
                ("frontier", models.BinaryField()),
            ],
            options={"db_table": "audit_tree"},
        ),
        migrations.RunPython(plant_tree, elidable=False),
        # From here on the tables only grow: flush passes unmanaged tables by.
        migrations.AlterModelOptions(name="LogEntry", options={"managed": False}),
        migrations.AlterModelOptions(name="SignedHead", options={"managed": False}),
        migrations.AlterModelOptions(name="Tree", options={"managed": False}),
        migrations.RunPython(raise_guards, elidable=False),
    ]
